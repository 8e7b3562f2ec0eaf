// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CHAOS_SETTING_HPP
#define TWAT_MP_SRC_CHAOS_SETTING_HPP

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// Options without chaos of their own get what TWAT_MP_CHAOS holds, as far as workers of their kind can do it. Throws `std::invalid_argument` that names
/// the variable and the key.
pool_options with_chaos_of_environment(pool_options options, bool can_kill);

/// Says on stderr that a pool makes faults on purpose.
void announce(const chaos_options& chaos) noexcept;

} // namespace twat::mp::detail

#endif
