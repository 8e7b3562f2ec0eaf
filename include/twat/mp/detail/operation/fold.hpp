// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_FOLD_HPP
#define TWAT_MP_DETAIL_OPERATION_FOLD_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>

#include <twat/mp/detail/exception/failure.hpp>
#include <twat/mp/detail/function/describe.hpp>
#include <twat/mp/detail/function/function_state.hpp>
#include <twat/mp/detail/function/portable_traits.hpp>
#include <twat/mp/detail/function/stateful.hpp>
#include <twat/mp/detail/operation/block_scope.hpp>

namespace twat::mp::detail {

// What a worker does with a block. A kernel folds elements into a value, and says in the caller's process how the values of blocks are put
// together.

/// The value of a block, or which of its elements failed, and how.
template <class Value>
struct folded
{
    std::optional<Value> value{};
    std::exception_ptr error{};
    std::size_t offset = 0; ///< Of the failed element.
    std::string input{};    ///< Its arguments as text.
};

/// Calls `f` for an element; what it throws leaves its arguments in `input`, if the call cannot have taken them away.
template <class F, class... Ts>
decltype(auto) call_noting(const F& f, std::string& input, Ts&&... values)
{
    constexpr bool stays =
        (... && (std::is_lvalue_reference_v<Ts> || std::is_trivially_copyable_v<std::remove_cvref_t<Ts>>));
    if constexpr (stays && (... || is_describable<std::remove_cvref_t<Ts>>)) {
        try {
            return std::invoke(f, std::forward<Ts>(values)...);
        }
        catch (...) {
            input = describe_arguments(values...);
            throw;
        }
    } else {
        return std::invoke(f, std::forward<Ts>(values)...);
    }
}

/// `reduce`.
template <class F, class Op, class T>
struct reduce_kernel
{
    using value = T;
    using completed = T;
    using first_function = F;
    using second_function = Op;

    F first;
    Op second;

    template <class Block>
    T fold(Block& elements, std::size_t& done, std::string& input) const
    {
        std::optional<T> begun;
        elements.walk(1, done, [&](auto&&... xs) {
            begun.emplace(static_cast<T>(call_noting(first, input, std::forward<decltype(xs)>(xs)...)));
        });
        T value(std::move(*begun));
        elements.walk(elements.size() - 1, done, [&](auto&&... xs) {
            value = static_cast<T>(
                std::invoke(second, std::move(value), call_noting(first, input, std::forward<decltype(xs)>(xs)...)));
        });
        return value;
    }

    void add(T& sum, T&& part) const { sum = static_cast<T>(std::invoke(second, std::move(sum), std::move(part))); }
};

/// In the place of a second function.
struct no_function
{};

/// `filter`.
template <class Predicate, class T>
struct filter_kernel
{
    using value = std::vector<T>;
    using completed = std::vector<T>;
    using first_function = Predicate;
    using second_function = no_function;

    Predicate first;
    [[no_unique_address]] no_function second{};

    template <class Block>
    value fold(Block& elements, std::size_t& done, std::string& input) const
    {
        value kept;
        elements.walk(elements.size(), done, [&](auto&& x) {
            if (call_noting(first, input, std::as_const(x)))
                kept.push_back(std::forward<decltype(x)>(x));
        });
        return kept;
    }

    void add(value& all, value&& part) const
    {
        if (all.empty())
            all = std::move(part);
        else
            all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
    }
};

/// `for_each`.
template <class F>
struct each_kernel
{
    using value = std::monostate;
    using completed = void;
    using first_function = F;
    using second_function = no_function;

    F first;
    [[no_unique_address]] no_function second{};

    template <class Block>
    value fold(Block& elements, std::size_t& done, std::string& input) const
    {
        elements.walk(elements.size(), done, [&](auto&&... xs) {
            static_cast<void>(call_noting(first, input, std::forward<decltype(xs)>(xs)...));
        });
        return {};
    }

    void add(value&, value&&) const noexcept {}
};

/// What runs on a worker: a kernel, for a block.
template <class Kernel>
class fold_function
{
public:
    explicit fold_function(Kernel kernel) : kernel_(std::move(kernel)) {}

    const Kernel& kernel() const noexcept { return kernel_; }

    template <class Block>
    folded<typename Kernel::value> operator()(Block elements) const
    {
        folded<typename Kernel::value> result;
        const block_scope scope(elements.first(), result.offset);
        try {
            result.value.emplace(kernel_.fold(elements, result.offset, result.input));
        }
        catch (...) {
            result.error = std::current_exception();
        }
        return result;
    }

private:
    Kernel kernel_;
};

template <class Kernel>
struct wanted_state<fold_function<Kernel>> : wanted_state<typename Kernel::first_function>
{};

template <>
inline constexpr bool is_portable<no_function> = true;

// clang-format off
template <class Kernel>
inline constexpr bool is_portable<fold_function<Kernel>> =
    is_portable<typename Kernel::first_function> && is_portable<typename Kernel::second_function>;
// clang-format on

template <class Kernel>
struct portable_check<fold_function<Kernel>>
{
    static constexpr bool passed()
    {
        if constexpr (portable_check<typename Kernel::first_function>::passed())
            if constexpr (!std::is_same_v<typename Kernel::second_function, no_function>)
                return portable_check<typename Kernel::second_function>::passed();
        return is_portable<fold_function<Kernel>>;
    }
};

template <>
struct function_state<no_function>
{
    static void write(encoder&, const no_function&) {}
    static no_function read(decoder&) { return {}; }
};

template <class Kernel>
struct function_state<fold_function<Kernel>>
{
    static void write(encoder& out, const fold_function<Kernel>& f)
    {
        function_state<typename Kernel::first_function>::write(out, f.kernel().first);
        function_state<typename Kernel::second_function>::write(out, f.kernel().second);
    }

    static fold_function<Kernel> read(decoder& in)
    {
        auto first = function_state<typename Kernel::first_function>::read(in);
        auto second = function_state<typename Kernel::second_function>::read(in);
        return fold_function<Kernel>(Kernel{std::move(first), std::move(second)});
    }
};

} // namespace twat::mp::detail

template <class Value>
struct twat::mp::codec<twat::mp::detail::folded<Value>>
{
    static void encode(encoder& out, const detail::folded<Value>& part)
    {
        out.write(part.value.has_value());
        if (part.value)
            return out.write(*part.value);
        out.write(static_cast<std::uint64_t>(part.offset));
        detail::write_failure(out, part.error, part.input);
    }

    static detail::folded<Value> decode(decoder& in)
    {
        detail::folded<Value> part;
        if (in.read<bool>()) {
            part.value.emplace(in.read<Value>());
        } else {
            part.offset = static_cast<std::size_t>(in.read<std::uint64_t>());
            part.error = detail::read_failure(in);
        }
        return part;
    }
};

#endif
