// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_DESCRIBE_HPP
#define TWAT_MP_DETAIL_FUNCTION_DESCRIBE_HPP

#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Smart pointers print an address, which tells nothing in another process.
template <class T>
concept prints_an_address = requires(const T& value)
{
    typename T::element_type;
    value.get();
};

template <class T>
concept streamable = !prints_an_address<T> && !std::is_pointer_v<T> && !std::is_array_v<T> &&
                     requires(std::ostream & out, const T& value)
{
    out << value;
};

template <class T>
inline constexpr bool is_describable =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_convertible_v<const T&, std::string_view> ||
    std::is_same_v<T, std::filesystem::path> || streamable<T>;

/** Collects the arguments of a task as text, "1, abc, true", for `errinfo_input`.

    At most about 200 characters; an argument that cannot be shown is "?", and if none can, there is no text at all.
*/
class TWAT_MP_DECL argument_text
{
public:
    template <class T>
    void operator()(const T& value)
    {
        if constexpr (std::is_same_v<T, bool>)
            add(value ? "true" : "false");
        else if constexpr (std::is_same_v<T, char>)
            add(std::string_view(&value, 1));
        else if constexpr (std::is_floating_point_v<T>)
            add_floating(static_cast<double>(value), std::is_same_v<T, float>);
        else if constexpr (std::is_enum_v<T>)
            add_integer(static_cast<std::underlying_type_t<T>>(value));
        else if constexpr (std::is_arithmetic_v<T>)
            add_integer(value);
        else if constexpr (std::is_same_v<T, std::filesystem::path>)
            add(value.native());
        else if constexpr (std::is_convertible_v<const T&, std::string_view>)
            add(static_cast<std::string_view>(value));
        else if constexpr (streamable<T>)
            add_streamed(&value, [](std::ostream& out, const void* from) { out << *static_cast<const T*>(from); });
        else
            add_unknown();
    }

    /// Empty if nothing could be shown.
    std::string take() noexcept;

private:
    template <class T>
    void add_integer(T value)
    {
        if constexpr (sizeof(T) > 8)
            add_unknown();
        else if constexpr (std::is_signed_v<T>)
            add_signed(value);
        else
            add_unsigned(static_cast<std::uint64_t>(value));
    }

    void add(std::string_view text);
    void add_signed(std::int64_t value);
    void add_unsigned(std::uint64_t value);
    void add_floating(double value, bool single);
    void add_streamed(const void* value, void (*print)(std::ostream&, const void*));
    void add_unknown();

    std::string text_;
    bool begun_ = false;
    bool full_ = false;
    bool any_shown_ = false;
};

/// The arguments of one task as text. Never throws: what cannot be shown is left out.
template <class... Args>
std::string describe_arguments(const Args&... arguments) noexcept
{
    if constexpr (!(is_describable<Args> || ...)) {
        return {};
    } else {
        try {
            argument_text text;
            (text(arguments), ...);
            return text.take();
        }
        catch (...) {
            return {};
        }
    }
}

} // namespace twat::mp::detail

#endif
