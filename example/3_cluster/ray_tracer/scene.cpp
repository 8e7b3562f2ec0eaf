// SPDX-License-Identifier: BSL-1.0
#include "scene.hpp"

#include <array>
#include <cmath>

namespace ray_tracer {
namespace {

constexpr std::array<vector, 4> colours{{{0.9, 0.55, 0.2}, {0.85, 0.25, 0.2}, {0.25, 0.5, 0.8}, {0.9, 0.85, 0.7}}};

/// @param up Where on the larger sphere this one sits, which has none on that side.
void add_flake(scene& s, vector centre, double radius, vector up, std::size_t depth)
{
    const std::size_t index = s.spheres.size();
    // radius * (1 + 2/3 + 2/9 + ...), and a little for rounding
    s.spheres.push_back({centre, radius, colours[depth % colours.size()], depth == 0 ? 0.5 : 0.3, 2.001 * radius});
    const auto end = [&] { s.spheres[index].beyond = static_cast<int>(s.spheres.size()); };
    if (depth == 3)
        return end();
    const vector side = unit(cross(up, std::abs(up.x) < 0.9 ? vector{1, 0, 0} : vector{0, 0, 1}));
    const vector other = cross(up, side);
    const auto add = [&](double along_side, double along_other, double along_up) {
        const vector out = unit(along_side * side + along_other * other + along_up * up);
        add_flake(s, centre + (radius * 4 / 3) * out, radius / 3, out, depth + 1);
    };
    const double half = 0.5, long_half = std::sqrt(0.75);
    for (const double sign : {1.0, -1.0}) { // six around ...
        add(sign, 0, 0.1);
        add(sign * half, long_half, 0.1);
        add(sign * half, -long_half, 0.1);
    }
    add(0, 1, 1.4); // ... and three above
    add(long_half, -half, 1.4);
    add(-long_half, -half, 1.4);
    end();
}

} // namespace

scene sphere_flake(int width, int height, int samples)
{
    scene s{width, height, samples, {}};
    add_flake(s, {0, 1.05, 0}, 1, unit({0.1, 1, -0.15}), 0);
    return s;
}

} // namespace ray_tracer
