// SPDX-License-Identifier: BSL-1.0
#include "page.hpp"

#include "parts.hpp"

namespace offload {

const std::string& page()
{
    static const std::string all = [] {
        using namespace page_parts;
        std::string text = "<!doctype html>";
        (text += head) += "<style>";
        (text += style) += "</style>";
        (text += body) += "<script>\n'use strict';";
        for (const std::string_view script : {feed, deeds})
            text += script;
        return text += "</script>\n</body>\n</html>\n";
    }();
    return all;
}

} // namespace offload
