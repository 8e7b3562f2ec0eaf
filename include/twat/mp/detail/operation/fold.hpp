// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_FOLD_HPP
#define TWAT_MP_DETAIL_OPERATION_FOLD_HPP

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
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
#include <twat/mp/detail/function/task_traits.hpp>
#include <twat/mp/detail/operation/block_scope.hpp>

namespace twat::mp::detail {

// What a worker does with a block. A kernel folds elements into a value, and says in the caller's process how the values of blocks are put
// together. Where its function is a coroutine the block is one coroutine task: it awaits one element after the other, and the worker's other
// blocks go on meanwhile. So `child_concurrency` bounds what is suspended at once, as in `map`, and order costs nothing.

/// The value of a block, or which of its elements failed, and how.
template <class Value>
struct folded
{
    std::optional<Value> value{};
    std::exception_ptr error{};
    std::size_t offset = 0; ///< Of the failed element.
    std::string input{};    ///< Its arguments as text.
};

/// Whether arguments of a call that failed can be shown: the call cannot have taken them away.
/// @tparam Ts As the function got them.
template <class... Ts>
inline constexpr bool shows_input = (... && (std::is_lvalue_reference_v<Ts> ||
                                             std::is_trivially_copyable_v<std::remove_cvref_t<Ts>>)) &&
                                    (... || is_describable<std::remove_cvref_t<Ts>>);

/// Calls `f` for an element; what it throws leaves its arguments in `input`, if the call cannot have taken them away. Inlined: g++ calls a
/// function that catches, and that is half of what an element costs.
template <class F, class... Ts>
[[gnu::always_inline]] inline decltype(auto) call_noting(const F& f, std::string& input, Ts&&... values)
{
    if constexpr (shows_input<Ts...>) {
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

template <class... Ts>
std::string describe_element(const std::tuple<Ts...>& element)
{
    if constexpr (shows_input<Ts...>)
        return std::apply([](const auto&... values) { return describe_arguments(values...); }, element);
    else
        return {};
}

/// The same for a coroutine and all elements of a block. Each result goes to `take`, with the element, which stays in this frame until then:
/// the user's coroutine may refer to it.
/// @param call Calls `f` with an element.
template <class F, class Block, class Call, class Take>
asio::awaitable<void> await_each(const F& f, Block& elements, std::size_t& done, std::string& input, Call call,
                                 Take take)
{
    for (; done != elements.size(); ++done) {
        auto element = elements.next();
        bool returned = false;
        try {
            auto running = call(f, element);
            if constexpr (std::is_void_v<typename awaited<decltype(running)>::type>) {
                co_await std::move(running);
                returned = true;
            } else {
                auto result = co_await std::move(running);
                returned = true;
                take(element, std::move(result));
            }
        }
        catch (...) {
            if (!returned)
                input = describe_element(element);
            throw;
        }
    }
}

/// Calls a function with an element: what is the block's own as an rvalue.
struct call_with_element
{
    template <class F, class... Ts>
    decltype(auto) operator()(const F& f, std::tuple<Ts...>& element) const
    {
        return std::apply(f, std::move(element));
    }
};

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

    template <class Block>
    static constexpr bool awaits = task_traits<F, typename Block::elements>::coroutine;

    template <class Block>
    asio::awaitable<T> fold_later(Block& elements, std::size_t& done, std::string& input) const
    {
        std::optional<T> value;
        auto each = await_each(first, elements, done, input, call_with_element(), [&](auto&, auto&& x) {
            if (value)
                *value = static_cast<T>(std::invoke(second, std::move(*value), std::forward<decltype(x)>(x)));
            else
                value.emplace(static_cast<T>(std::forward<decltype(x)>(x)));
        });
        co_await std::move(each);
        co_return std::move(*value);
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

    template <class Block>
    static constexpr bool awaits = task_traits<Predicate, parameter_list<const T&>>::coroutine;

    template <class Block>
    asio::awaitable<value> fold_later(Block& elements, std::size_t& done, std::string& input) const
    {
        value kept;
        const auto call = [](const Predicate& f, const auto& element) { return std::apply(f, element); };
        auto each = await_each(first, elements, done, input, call, [&](auto& element, bool keeps) {
            if (keeps)
                kept.push_back(std::get<0>(std::move(element)));
        });
        co_await std::move(each);
        co_return std::move(kept);
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

    template <class Block>
    static constexpr bool awaits = task_traits<F, typename Block::elements>::coroutine;

    template <class Block>
    asio::awaitable<value> fold_later(Block& elements, std::size_t& done, std::string& input) const
    {
        auto each = await_each(first, elements, done, input, call_with_element(), [](auto&, auto&&) {});
        co_await std::move(each);
        co_return value();
    }

    void add(value&, value&&) const noexcept {}
};

/// What runs on a worker: a kernel, for a block.
template <class Kernel>
class fold_function
{
    using value = typename Kernel::value;

public:
    using kernel_type = Kernel;

    explicit fold_function(Kernel kernel) : kernel_(std::move(kernel)) {}

    const Kernel& kernel() const noexcept { return kernel_; }

    template <class Block>
    using result = std::conditional_t<Kernel::template awaits<Block>, asio::awaitable<folded<value>>, folded<value>>;

    template <class Block>
    result<Block> operator()(Block elements) const
    {
        if constexpr (Kernel::template awaits<Block>)
            return fold_later(kernel_, std::move(elements));
        else
            return fold(elements);
    }

private:
    template <class Block>
    folded<value> fold(Block& elements) const
    {
        folded<value> made;
        const block_scope scope(elements.first(), made.offset);
        try {
            made.value.emplace(kernel_.fold(elements, made.offset, made.input));
        }
        catch (...) {
            made.error = std::current_exception();
        }
        return made;
    }

    template <class Block>
    static asio::awaitable<folded<value>> fold_later(const Kernel& kernel, Block elements)
    {
        folded<value> made;
        const block_scope scope(elements.first(), made.offset);
        try {
            auto running = kernel.fold_later(elements, made.offset, made.input);
            auto all = co_await std::move(running);
            made.value.emplace(std::move(all));
        }
        catch (...) {
            made.error = std::current_exception();
        }
        co_return std::move(made);
    }

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
