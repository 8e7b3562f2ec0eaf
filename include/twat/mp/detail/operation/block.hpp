// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BLOCK_HPP
#define TWAT_MP_DETAIL_OPERATION_BLOCK_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>

#include <twat/mp/detail/function/surely_copyable.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

// Several neighbouring elements of one or more ranges, which are one task of `reduce`, `filter` and `for_each`: a column for each range.

/// Elements that stay where they are, for threads.
template <class Iterator>
class iterator_column
{
public:
    iterator_column() = default;
    explicit iterator_column(Iterator first) : at_(std::move(first)) {}

    decltype(auto) next() { return *at_++; }

    /// For a journal, which has to know the elements again.
    void encode(encoder& out, std::size_t size) const
    {
        Iterator at = at_;
        for (; size != 0; --size)
            out.write(*at++);
    }

private:
    Iterator at_{};
};

/// Elements of their own: values, or an array that is about to be sent, or consecutive integers.
template <class T>
class value_column
{
public:
    /// What `std::views::iota` gives is sent as the first one and the count.
    static constexpr bool can_count = std::integral<T> && !std::is_same_v<T, bool>;

    value_column() = default;
    explicit value_column(std::span<const T> view) : view_(view) {}

    static value_column counting(T first) requires can_count
    {
        value_column made;
        made.first_ = first;
        made.counts_ = true;
        return made;
    }

    void reserve(std::size_t count) { values_.reserve(count); }
    template <class U>
    void push(U&& value)
    {
        values_.push_back(static_cast<T>(std::forward<U>(value)));
    }

    bool counts() const noexcept { return counts_; }
    T next_counted() noexcept { return static_cast<T>(first_ + static_cast<T>(at_++)); }
    T next_kept() { return static_cast<T>(std::move(values_[at_++])); }
    T next()
    {
        if constexpr (can_count)
            if (counts_)
                return next_counted();
        return next_kept();
    }

    void encode(encoder& out, std::size_t size) const
    {
        if constexpr (can_count) {
            out.write(counts_);
            if (counts_)
                return out.write(first_);
        }
        if constexpr (bytewise<T>) {
            const void* const from = view_.empty() ? static_cast<const void*>(values_.data()) : view_.data();
            write_length(out, size);
            out.write_bytes(from, size * sizeof(T));
        } else {
            if (view_.empty())
                out.write(values_);
            else
                write_elements<T>(out, size, view_);
        }
    }

    static value_column decode(decoder& in, std::size_t size)
    {
        value_column made;
        if constexpr (can_count) {
            made.counts_ = in.read<bool>();
            if (made.counts_) {
                made.first_ = in.read<T>();
                return made;
            }
        }
        if constexpr (bytewise<T>) {
            const std::size_t count = in.read_length(sizeof(T));
            const std::byte* const from = in.read_bytes(count * sizeof(T));
            made.values_.resize(count);
            if (count != 0)
                std::memcpy(made.values_.data(), from, count * sizeof(T));
        } else {
            made.values_ = in.read<std::vector<place>>();
        }
        if (made.values_.size() != size)
            throw_bad_bytes("a block has fewer elements than it says");
        return made;
    }

private:
    using place = std::conditional_t<std::is_same_v<T, bool>, unsigned char, T>; // std::vector<bool> has none

    std::span<const T> view_{};
    std::vector<place> values_{};
    std::size_t at_ = 0;
    [[no_unique_address]] std::conditional_t<can_count, T, std::tuple<>> first_{};
    bool counts_ = false;
};

template <class Column>
inline constexpr bool may_count = false;
template <class T>
inline constexpr bool may_count<value_column<T>> = value_column<T>::can_count;

template <class... Columns>
class block
{
public:
    /// How a function gets the elements.
    using elements = parameter_list<decltype(std::declval<Columns&>().next())...>;

    block() = default;
    block(std::size_t size, Columns... columns) : size_(size), columns_(std::move(columns)...) {}

    std::size_t size() const noexcept { return size_; }
    /// Index of its first element in the input.
    std::uint64_t first() const noexcept { return first_; }
    void set_first(std::uint64_t index) noexcept { first_ = index; }

    /// Calls `step` with the next element of each column, `count` times. `done` counts the calls that returned, each at once: it tells which one runs.
    template <class Step>
    void walk(std::size_t count, std::size_t& done, Step step)
    {
        // The common case is worth a loop without questions.
        if constexpr (sizeof...(Columns) == 1 && (... && may_count<Columns>)) {
            auto& column = std::get<0>(columns_);
            if (column.counts())
                repeat(count, done, [&] { step(column.next_counted()); });
            else
                repeat(count, done, [&] { step(column.next_kept()); });
        } else {
            repeat(count, done, [&] { std::apply([&](auto&... columns) { step(columns.next()...); }, columns_); });
        }
    }

    /// The next element of each column: its own, or a reference to one that stays where it is.
    auto next()
    {
        return std::apply([](auto&... columns) { return std::tuple<decltype(columns.next())...>(columns.next()...); },
                          columns_);
    }

    void encode(encoder& out) const
    {
        write_length(out, size_);
        out.write(first_);
        std::apply([&](const auto&... columns) { (columns.encode(out, size_), ...); }, columns_);
    }

    static block decode(decoder& in)
    {
        block made;
        const auto size = in.read<std::uint64_t>();
        made.size_ = static_cast<std::size_t>(size);
        made.first_ = in.read<std::uint64_t>();
        std::apply(
            [&](auto&... columns) {
                ((columns = std::remove_reference_t<decltype(columns)>::decode(in, made.size_)), ...);
            },
            made.columns_);
        return made;
    }

private:
    template <class Step>
    static void repeat(std::size_t count, std::size_t& done, Step step)
    {
        for (const std::size_t end = done + count; done != end; ++done)
            step();
    }

    std::size_t size_ = 0;
    std::uint64_t first_ = 0;
    std::tuple<Columns...> columns_;
};

template <class T>
inline constexpr bool surely_copyable<value_column<T>> = surely_copyable<T>;
template <class Iterator>
inline constexpr bool surely_copyable<iterator_column<Iterator>> = true;
template <class... Columns>
inline constexpr bool surely_copyable<block<Columns...>> = (... && surely_copyable<Columns>);

} // namespace twat::mp::detail

template <class... Ts>
struct twat::mp::codec<twat::mp::detail::block<twat::mp::detail::value_column<Ts>...>>
{
    using type = detail::block<detail::value_column<Ts>...>;
    static void encode(encoder& out, const type& value) { value.encode(out); }
    static type decode(decoder& in) { return type::decode(in); }
};

#endif
