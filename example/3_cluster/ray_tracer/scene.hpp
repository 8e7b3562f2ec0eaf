// SPDX-License-Identifier: BSL-1.0
#ifndef RAY_TRACER_SCENE_HPP
#define RAY_TRACER_SCENE_HPP

#include <vector>

#include "vector.hpp"

namespace ray_tracer {

struct sphere
{
    vector centre{};
    double radius = 1;
    vector colour{};
    double mirror = 0; ///< The part of the light that it reflects as a mirror, 0 to 1.
    double reach =
        1; ///< No sphere on it is farther from its centre: a ray that passes by at this distance meets none of them.
    int beyond = 0; ///< The index behind those on it, which follow it.
};

/// All that a row of the picture depends on. Goes to the workers with their rows: some kilobytes.
struct scene
{
    int width = 0, height = 0;
    int samples = 1; ///< Rays through each pixel, in each direction.
    std::vector<sphere> spheres{};
};

/// A sphere with smaller ones on it, with smaller ones on them, over a chequered floor.
scene sphere_flake(int width, int height, int samples);

} // namespace ray_tracer

#endif
