// SPDX-License-Identifier: BSL-1.0
// What stands in front of the style.
#include "parts.hpp"

namespace offload::page_parts {

const std::string_view head = R"html(
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Offload server</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='%233b6ef5'/><path d='M3 5h7M3 8h10M3 11h5' stroke='white' stroke-width='1.8' stroke-linecap='round'/></svg>">
)html";

} // namespace offload::page_parts
