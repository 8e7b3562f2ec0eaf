// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_ENVIRONMENT_HPP
#define TWAT_MP_SRC_OS_ENVIRONMENT_HPP

#include <string_view>

namespace twat::mp::detail {

/// Whether the value of an environment variable switches something on: anything but "0", "false", "no", "off", in any case, and nothing at all.
bool means_yes(std::string_view value) noexcept;

/// Whether the environment variable is set to such a value.
bool is_enabled(const char* variable) noexcept;

} // namespace twat::mp::detail

#endif
