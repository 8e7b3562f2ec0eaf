// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_TITLE_HPP
#define TWAT_MP_SRC_START_TITLE_HPP

#include <twat/mp/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// The short name of this program, without what `make_title` added to it.
TWAT_MP_DECL std::string program_name();

/// What `ps` shows of a worker, "pgzip: worker 1 of 4711"; for `launch_request::title`.
std::string make_title(std::string_view program, std::size_t index, int parent);

/// What `top` shows of a worker, "pgzip:w1": at most 15 characters, of which the number is kept.
std::string make_short_name(std::string_view program, std::size_t index);

} // namespace twat::mp::detail

#endif
