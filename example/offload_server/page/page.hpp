// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PAGE_HPP
#define OFFLOAD_PAGE_HPP

#include <string>

namespace offload {

/// What `/` answers: HTML with all that belongs to it.
const std::string& page();

} // namespace offload

#endif
