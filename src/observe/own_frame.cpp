// SPDX-License-Identifier: BSL-1.0
#include "observe/own_frame.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace twat::mp::detail {
namespace {

bool begins_with_one_of(std::string_view text, std::initializer_list<std::string_view> beginnings) noexcept
{
    return std::ranges::any_of(beginnings, [&](std::string_view each) { return text.starts_with(each); });
}

/// "std::this_thread::sleep_for" of "void std::this_thread::sleep_for<long, ...>(...)": instances of templates begin with what they return.
std::string_view qualified_name(std::string_view function) noexcept
{
    constexpr std::string_view unnamed = "(anonymous namespace)";
    std::size_t begin = 0;
    std::size_t depth = 0;
    for (std::size_t i = 0; i < function.size(); ++i) {
        const char c = function[i];
        if (depth == 0 && function.substr(i).starts_with(unnamed))
            i += unnamed.size() - 1;
        else if (c == '<' || c == '{')
            ++depth;
        else if (c == '>' || c == '}')
            depth -= depth != 0;
        else if (depth == 0 && c == '(')
            break;
        else if (depth == 0 && c == ' ')
            begin = i + 1;
    }
    return function.substr(begin);
}

bool is_of_library(const stacktrace::frame& frame) noexcept
{
    if (frame.function.empty() && frame.module.empty()) // where the stack ends
        return true;
    const std::string_view file = frame.file;
    if (file.starts_with("/usr/include/") || file.find("/include/c++/") != file.npos ||
        file.find("/c++/v1/") != file.npos)
        return true;
    std::string_view module = frame.module;
    module.remove_prefix(module.rfind('/') + 1); // npos + 1 is 0
    if (begins_with_one_of(module,
                           {"libc.", "libc-", "libpthread", "libm.", "libstdc++", "libc++", "libgcc_s", "ld-", "[vdso]",
                            "linux-vdso", "libasan", "libtsan", "libubsan", "libclang_rt", "libboost_", "libtwat_mp"}))
        return true;
    const std::string_view name = qualified_name(frame.function);
    return name == "main" || name.starts_with("main(") ||
           begins_with_one_of(name, {"std::", "boost::", "twat::mp::", "_", "operator new", "operator delete"});
}

} // namespace

const stacktrace::frame* find_own_frame(const std::vector<stacktrace::frame>& frames) noexcept
{
    const auto own = std::ranges::find_if_not(frames, is_of_library);
    return own == frames.end() ? nullptr : &*own;
}

} // namespace twat::mp::detail
