// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PAGE_PARTS_HPP
#define OFFLOAD_PAGE_PARTS_HPP

#include <string_view>

// The page in parts, by idea. Together they are one answer, which needs nothing from elsewhere.
namespace offload::page_parts {

extern const std::string_view head, style, body; ///< HTML, CSS, HTML
extern const std::string_view feed, deeds;       ///< Scripts, in this order.

} // namespace offload::page_parts

#endif
