// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_ACCESS_HPP
#define TWAT_MP_SRC_MONITOR_ACCESS_HPP

#include <string_view>

namespace twat::mp::detail {

/// What of a request says who asks.
struct request_origin
{
    std::string_view host{}, origin{}, authorization{}, token{}; ///< `token` of the query.
};

enum class access { granted, wrong_host, wrong_origin, no_token };

/** Who may read a monitor. @param loopback It listens there only: then a name that another site made point here is refused (DNS rebinding). */
access judge_request(const request_origin& from, std::string_view token, bool loopback) noexcept;

} // namespace twat::mp::detail

#endif
