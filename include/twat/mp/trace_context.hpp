// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TRACE_CONTEXT_HPP
#define TWAT_MP_TRACE_CONTEXT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** Where an operation belongs in a trace of several services: the `traceparent` of the W3C's Trace Context, as an HTTP header holds it.

    Made of the header's text, of which it keeps a copy. What is no valid `traceparent` is kept as malformed: `with` then throws
    `std::invalid_argument` that names `call_options::trace_parent`, unless the program looks first (`valid`). Of a version that is newer than 00, what
    that version adds is left out, as the recommendation asks.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as long as none is changed.
*/
class trace_context
{
public:
    /// None.
    constexpr trace_context() = default;
    /// Of a header's text; the empty text: none.
    template <class Text>
    requires std::is_convertible_v<const Text&, std::string_view> &&
        (!std::is_same_v<Text, trace_context>)constexpr trace_context(const Text& text) noexcept
    {
        read(std::string_view(text));
    }

    /// Whether it holds no context.
    constexpr bool empty() const noexcept { return state_ == state::none; }
    /// Whether there is one and it is well-formed.
    constexpr bool valid() const noexcept { return state_ == state::valid; }
    /// Whether it was made of a text that is no `traceparent`.
    constexpr bool malformed() const noexcept { return state_ == state::malformed; }
    /// `00-` trace `-` parent `-` flags; empty unless valid. Good as long as this object.
    constexpr std::string_view text() const noexcept
    {
        return valid() ? std::string_view(text_.data(), size) : std::string_view();
    }
    /// The part that names the whole trace: 32 hexadecimal digits.
    constexpr std::string_view trace_id() const noexcept { return valid() ? text().substr(3, 32) : std::string_view(); }

    friend constexpr bool operator==(const trace_context& a, const trace_context& b) noexcept
    {
        return a.state_ == b.state_ && a.text() == b.text();
    }

private:
    static constexpr std::size_t size = 55;
    enum class state : std::uint8_t { none, valid, malformed };

    static constexpr bool is_hex(std::string_view digits) noexcept
    {
        for (const char c : digits)
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
                return false;
        return true;
    }

    static constexpr bool is_traceparent(std::string_view text) noexcept
    {
        if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-')
            return false;
        const std::string_view version = text.substr(0, 2), trace = text.substr(3, 32), parent = text.substr(36, 16),
                               flags = text.substr(53, 2);
        if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags) || version == "ff")
            return false;
        if (version == "00" ? text.size() != size : text.size() > size && text[size] != '-')
            return false;
        return trace.find_first_not_of('0') != std::string_view::npos &&
               parent.find_first_not_of('0') != std::string_view::npos;
    }

    constexpr void read(std::string_view text) noexcept
    {
        if (text.empty())
            return;
        if (!is_traceparent(text)) {
            state_ = state::malformed;
            return;
        }
        state_ = state::valid;
        for (std::size_t i = 0; i != size; ++i)
            text_[i] = i < 2 ? '0' : text[i];
    }

    std::array<char, size> text_{};
    state state_ = state::none;
};

} // namespace twat::mp

#endif
