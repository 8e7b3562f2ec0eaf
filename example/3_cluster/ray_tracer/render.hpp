// SPDX-License-Identifier: BSL-1.0
#ifndef RAY_TRACER_RENDER_HPP
#define RAY_TRACER_RENDER_HPP

#include <string>

#include "scene.hpp"

namespace ray_tracer {

/** The task: a row of the picture, 0 the uppermost, as three bytes for each pixel.

    A pure function of its arguments, so that it may run again where its host was lost. It uses no function of the mathematical library but
    the square root, which is the same on every processor: which host computed a row cannot be seen in the picture.
*/
std::string render_row(const scene& s, int row);

} // namespace ray_tracer

#endif
