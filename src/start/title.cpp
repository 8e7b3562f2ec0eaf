// SPDX-License-Identifier: BSL-1.0
#include "start/title.hpp"

#include <algorithm>

#include <errno.h> // program_invocation_short_name

namespace twat::mp::detail {
namespace {

constexpr std::string_view infix = ": worker ";
constexpr std::size_t longest_name = 15; // of PR_SET_NAME, without the terminator

} // namespace

std::string program_name()
{
    // From argv[0], which in a worker is the title.
    const std::string_view name = program_invocation_short_name ? program_invocation_short_name : "";
    return std::string(name.substr(0, name.find(infix)));
}

std::string make_title(std::string_view program, std::size_t index, int parent)
{
    return std::string(program)
        .append(infix)
        .append(std::to_string(index))
        .append(" of ")
        .append(std::to_string(parent));
}

std::string make_short_name(std::string_view program, std::size_t index)
{
    const auto suffix = ":w" + std::to_string(index);
    const auto room = longest_name - std::min(longest_name, suffix.size());
    return std::string(program.substr(0, room)).append(suffix).substr(0, longest_name);
}

} // namespace twat::mp::detail
