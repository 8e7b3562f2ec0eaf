// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_TEXTS_HPP
#define TWAT_MP_SRC_MONITOR_TEXTS_HPP

#include <twat/mp/options.hpp>

#include <map>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// What pools told, by name.
using watched_pools = std::map<std::string, pool_stats>;

/// Prometheus' text format.
std::string metrics_text(const watched_pools& pools);
/// `{"pools":[...]}`.
std::string pools_json(const watched_pools& pools);
/// The page that shows that.
std::string_view monitor_page() noexcept;

} // namespace twat::mp::detail

#endif
