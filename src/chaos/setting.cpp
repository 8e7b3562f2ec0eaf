// SPDX-License-Identifier: BSL-1.0
#include "chaos/setting.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

namespace twat::mp::detail {

pool_options with_chaos_of_environment(pool_options options, bool can_kill)
{
    const char* const text = ::secure_getenv("TWAT_MP_CHAOS");
    if (options.chaos.any() || !text)
        return options;
    try {
        options.chaos = parse_chaos(text);
    }
    catch (const std::invalid_argument& e) {
        throw std::invalid_argument(std::string("TWAT_MP_CHAOS: ") + e.what());
    }
    if (!can_kill)
        options.chaos.kill = 0; // the variable is for all pools of a program
    return options;
}

void announce(const chaos_options& chaos) noexcept
{
    try {
        std::fprintf(stderr, "twat-mp: this pool makes faults on purpose (pool_options::chaos or TWAT_MP_CHAOS): %s\n",
                     to_string(chaos).c_str());
    }
    catch (...) { // no memory for it
    }
}

} // namespace twat::mp::detail
