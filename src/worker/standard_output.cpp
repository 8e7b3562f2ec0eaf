// SPDX-License-Identifier: BSL-1.0
#include "worker/standard_output.hpp"

namespace twat::mp::detail {

void standard_output::flush_now() noexcept
{
    try {
        std::cout.flush();
        std::clog.flush();
    }
    catch (...) { // A stream that throws is the program's wish, but the task is over.
    }
    std::fflush(stdout);
}

} // namespace twat::mp::detail
