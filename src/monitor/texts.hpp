// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_TEXTS_HPP
#define TWAT_MP_SRC_MONITOR_TEXTS_HPP

#include <twat/mp/options.hpp>

#include <map>
#include <string>
#include <string_view>

#include "monitor/json.hpp"

namespace twat::mp::detail {

/// What pools told, by name.
using watched_pools = std::map<std::string, pool_stats>;

/// Prometheus' text format.
std::string metrics_text(const watched_pools& pools);
/// `{"pools":[...]}`.
std::string pools_json(const watched_pools& pools);
/// What is common to that and to the page: the counters of a pool, and the times of some of its tasks.
void add_counters(json_list& to, const pool_stats& stats);
void add_quantiles(json_list& to, const histogram& waits, const histogram& runs);
/// The page that shows it.
std::string_view monitor_page() noexcept;

} // namespace twat::mp::detail

#endif
