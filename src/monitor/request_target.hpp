// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_REQUEST_TARGET_HPP
#define TWAT_MP_SRC_MONITOR_REQUEST_TARGET_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// A path and its query, `/report?pool=a%20name&id=7`. Refers to the text.
struct request_target
{
    explicit request_target(std::string_view text) noexcept;

    /// Decoded; empty if it is not there.
    std::string value(std::string_view name) const;
    /// 0 if it is not there, or no number.
    std::uint64_t number(std::string_view name) const;

    std::string_view path, query;
};

} // namespace twat::mp::detail

#endif
