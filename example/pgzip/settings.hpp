// SPDX-License-Identifier: BSL-1.0
#ifndef PGZIP_SETTINGS_HPP
#define PGZIP_SETTINGS_HPP

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace pgzip {

/// What the command line asked for.
struct settings
{
    std::size_t workers = 0; ///< 0: as many as CPUs that may be used.
    int level = 6;
    std::size_t block_size = 1024 * 1024;
    bool threads = false;
    bool keep = false;
    bool force = false;
    bool quiet = false;
    bool verify = false;
    bool help = false;
    std::string cluster; ///< The address of a broker; empty: the workers are here.
    std::string output;  ///< Empty: FILE.gz beside FILE; "-": standard output.
    std::vector<std::string> files;
};

/// A command line that cannot be understood.
struct usage_error : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

extern const char* const usage;

settings parse(int argc, char** argv);

} // namespace pgzip

#endif
