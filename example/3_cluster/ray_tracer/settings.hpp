// SPDX-License-Identifier: BSL-1.0
#ifndef RAY_TRACER_SETTINGS_HPP
#define RAY_TRACER_SETTINGS_HPP

#include <cstddef>
#include <stdexcept>
#include <string>

namespace ray_tracer {

/// What the command line asked for.
struct settings
{
    std::string output = "picture.png";
    std::string cluster; ///< The address of a broker; empty: the workers are processes of this machine.
    int width = 960, height = 540;
    int samples = 4;
    std::size_t workers = 0; ///< Of this machine; 0: as many as CPUs.
    bool help = false;
};

/// A command line that cannot be understood.
struct usage_error : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

extern const char* const usage;

settings parse(int argc, char** argv);

} // namespace ray_tracer

#endif
