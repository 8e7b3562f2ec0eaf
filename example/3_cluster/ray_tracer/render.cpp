// SPDX-License-Identifier: BSL-1.0
#include "render.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ray_tracer {
namespace {

constexpr double nearest = 1e-6; // what is closer is the surface that the ray comes from
constexpr double far_away = std::numeric_limits<double>::infinity();
constexpr int most_mirrors = 4;

struct ray
{
    vector from, along;
    vector at(double distance) const { return from + distance * along; }
};

/// How far along the ray it meets the sphere.
double distance_to(const sphere& s, const ray& r)
{
    const vector to = s.centre - r.from;
    const double middle = dot(to, r.along);
    const double within = middle * middle - dot(to, to) + s.radius * s.radius;
    if (within < 0)
        return far_away;
    const double half = std::sqrt(within);
    return middle - half > nearest ? middle - half : middle + half > nearest ? middle + half : far_away;
}

/// The nearest sphere, or any, that the ray meets before `distance`, which becomes the distance to it; null if it meets no sphere.
const sphere* find_hit(const scene& s, const ray& r, double& distance, bool any = false)
{
    const sphere* hit = nullptr;
    for (std::size_t i = 0; i != s.spheres.size();) {
        const sphere& candidate = s.spheres[i];
        if (distance_to({candidate.centre, candidate.reach}, r) == far_away) {
            i = static_cast<std::size_t>(candidate.beyond);
            continue;
        }
        ++i;
        if (const double d = distance_to(candidate, r); d < distance) {
            distance = d;
            hit = &candidate;
            if (any)
                break;
        }
    }
    return hit;
}

double distance_to_floor(const ray& r)
{
    const double distance = -r.from.y / r.along.y;
    return r.along.y < 0 && distance > nearest ? distance : far_away;
}

vector sky(vector along) { return mix({0.85, 0.9, 0.95}, {0.25, 0.45, 0.8}, std::sqrt(std::max(0.0, along.y))); }

bool is_lit(const scene& s, vector point, vector light)
{
    const vector to = light - point;
    double distance = std::sqrt(dot(to, to));
    return !find_hit(s, {point, (1 / distance) * to}, distance, true);
}

/// The light that comes along the ray.
vector trace(const scene& s, const ray& r, vector light, int mirrors)
{
    double distance = distance_to_floor(r);
    const sphere* const hit = find_hit(s, r, distance);
    if (distance == far_away)
        return sky(r.along);

    const vector point = r.at(distance);
    const vector normal = hit ? (1 / hit->radius) * (point - hit->centre) : vector{0, 1, 0};
    const bool odd = (static_cast<long>(std::floor(point.x)) + static_cast<long>(std::floor(point.z))) % 2 != 0;
    vector colour = hit ? hit->colour : odd ? vector{0.35, 0.35, 0.4} : vector{0.8, 0.8, 0.78};
    const double mirror = hit ? hit->mirror : 0.1;

    const double facing = dot(normal, unit(light - point));
    const double direct = facing > 0 && is_lit(s, point, light) ? facing : 0;
    const double ambient = 0.25 + 0.1 * normal.y;
    colour = (ambient + 0.8 * direct) * colour;
    if (mirrors > 0) {
        const vector along = r.along - (2 * dot(r.along, normal)) * normal;
        colour = mix(colour, trace(s, {point, along}, light, mirrors - 1), mirror);
    }
    return hit ? colour : mix(colour, sky(r.along), std::min(1.0, distance / 40)); // haze
}

char byte_of(double light)
{
    // the square root in the place of the screen's own curve
    return static_cast<char>(static_cast<unsigned char>(255 * std::sqrt(std::clamp(light, 0.0, 1.0)) + 0.5));
}

} // namespace

std::string render_row(const scene& s, int row)
{
    const vector eye{2.2, 2.1, -4.0}, target{0, 1.05, 0};
    const vector forward = unit(target - eye), right = unit(cross({0, 1, 0}, forward)), up = cross(forward, right);
    const double step = 1.0 / s.height, part = 1.0 / s.samples;
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(s.width) * 3);
    for (int column = 0; column != s.width; ++column) {
        vector sum;
        for (int i = 0; i != s.samples; ++i)
            for (int j = 0; j != s.samples; ++j) {
                const double x = (column + (i + 0.5) * part - s.width / 2.0) * step;
                const double y = (s.height / 2.0 - row - (j + 0.5) * part) * step;
                // Each ray has a place of its own on a lamp that is a square, so that shadows have soft edges.
                const vector light{5 + (j + 0.5) * part, 8, -5 + (i + 0.5) * part};
                sum = sum + trace(s, {eye, unit(forward + x * right + y * up)}, light, most_mirrors);
            }
        sum = (part * part) * sum;
        bytes += {byte_of(sum.x), byte_of(sum.y), byte_of(sum.z)};
    }
    return bytes;
}

} // namespace ray_tracer
