// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/function/describe.hpp>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace twat::mp::detail {
namespace {

constexpr std::size_t max_argument_text = 200;

/// Cuts at the end of a character, if the text is UTF-8.
std::string_view cut(std::string_view text, std::size_t size)
{
    if (text.size() <= size)
        return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
        --size;
    return text.substr(0, size);
}

} // namespace

std::string argument_text::take() noexcept { return any_shown_ ? std::move(text_) : std::string(); }

void argument_text::add(std::string_view text)
{
    any_shown_ = true;
    if (full_)
        return;
    if (begun_)
        text_ += ", ";
    begun_ = true;
    const std::size_t left = max_argument_text - std::min(max_argument_text, text_.size());
    text_ += cut(text, left);
    full_ = text.size() > left;
    if (full_)
        text_ += "...";
}

void argument_text::add_signed(std::int64_t value) { add(std::to_string(value)); }
void argument_text::add_unsigned(std::uint64_t value) { add(std::to_string(value)); }

void argument_text::add_floating(double value, bool single)
{
    char text[64];
    const auto end = single ? std::to_chars(text, text + sizeof text, static_cast<float>(value)).ptr
                            : std::to_chars(text, text + sizeof text, value).ptr;
    add({text, static_cast<std::size_t>(end - text)});
}

void argument_text::add_streamed(const void* value, void (*print)(std::ostream&, const void*))
{
    std::ostringstream out;
    print(out, value);
    add(std::move(out).str());
}

void argument_text::add_unknown()
{
    const bool shown = any_shown_;
    add("?");
    any_shown_ = shown;
}

} // namespace twat::mp::detail
