// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>

#include "monitor/texts.hpp"

namespace twat::mp::detail {
namespace {

#include "monitor_page.hpp" // the files of src/monitor/page

std::string with(std::string_view text, std::string_view reference, std::string_view begin, std::string_view content,
                 std::string_view end)
{
    const auto at = text.find(reference);
    return std::string(text.substr(0, at))
        .append(begin)
        .append(content)
        .append(end)
        .append(text.substr(at + reference.size()));
}

} // namespace

/// One resource that needs no other: the files refer to each other only while somebody works on them.
std::string_view monitor_page() noexcept
{
    static const std::string page =
        with(with(index_html, R"(<link rel="stylesheet" href="style.css">)", "<style>\n", style_css, "</style>"),
             R"(<script src="script.js"></script>)", "<script>\n", script_js, "</script>");
    return page;
}

} // namespace twat::mp::detail
