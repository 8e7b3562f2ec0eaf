// SPDX-License-Identifier: BSL-1.0
#ifndef RAY_TRACER_PNG_FILE_HPP
#define RAY_TRACER_PNG_FILE_HPP

#include <string>
#include <vector>

namespace ray_tracer {

/// @param rows Of three bytes for each pixel. Throws `std::runtime_error` if the file cannot be written.
void write_png(const std::string& path, int width, const std::vector<std::string>& rows);

} // namespace ray_tracer

#endif
