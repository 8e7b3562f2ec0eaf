// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_RESULTS_HPP
#define TWAT_MP_DETAIL_OPERATION_RESULTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/result.hpp>

namespace twat::mp::detail {

// Where an operation keeps its values until it is over. `completed` is what its completion handler gets.

/// A vector that is filled in any order. `T` needs only to be movable.
template <class T>
class sparse_vector
{
public:
    /// Written in place where an empty place costs nothing, else into optional places that are unwrapped at the end.
    static constexpr bool in_place = std::is_nothrow_default_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;

    /// The end of the input may be far, and the operation may never get there. What is not touched takes no memory.
    void expect(std::size_t total) { make_room(std::min(total, (std::size_t(16) << 20) / sizeof(T))); }

    /// Whether several threads may fill places at once.
    static constexpr bool shareable = in_place && !std::is_same_v<T, bool>;

    /// Makes room for all places and says where they will be: they stay there, and `grow` makes them. Null if that is too much to
    /// ask for beforehand.
    T* share(std::size_t total) noexcept requires shareable
    {
        if (total > most_shared / sizeof(T))
            return nullptr;
        try {
            make_room(total);
        }
        catch (const std::bad_alloc&) {
            return nullptr;
        }
        return places_.data();
    }

    /// Makes the places up to `count`, while others may be filled.
    void grow(std::size_t count)
    {
        if (count > places_.size())
            places_.resize(count);
    }

    template <class... Args>
    void emplace(std::uint64_t index, Args&&... args)
    {
        const auto position = static_cast<std::size_t>(index);
        grow(position + 1);
        if constexpr (in_place)
            places_[position] = T(std::forward<Args>(args)...);
        else
            places_[position].emplace(std::forward<Args>(args)...);
    }

    /// Fills `count` places: the one at `index + i` with `value(i)`.
    template <class Value>
    requires in_place void fill(std::uint64_t index, std::size_t count, Value value)
    {
        const auto begin = static_cast<std::size_t>(index);
        grow(begin + count);
        T* const to = places_.data() + begin;
        for (std::size_t i = 0; i != count; ++i)
            to[i] = value(i);
    }

    /// @pre Every place up to the last one was filled.
    std::vector<T> release()
    {
        if constexpr (in_place) {
            return std::move(places_);
        } else {
            std::vector<T> values;
            values.reserve(places_.size());
            for (auto& value : places_)
                values.push_back(std::move(*value));
            places_.clear();
            return values;
        }
    }

    void forget() noexcept { places_ = std::vector<place>(); }

private:
    using place = std::conditional_t<in_place, T, std::optional<T>>;
    static constexpr std::size_t most_shared = std::size_t(1) << 30; // bytes

    void make_room(std::size_t total)
    {
        places_.reserve(total);
        if constexpr (!std::is_same_v<place, bool>)
            if (total * sizeof(place) >= large_pages_from)
                prefer_large_pages(places_.data(), total * sizeof(place));
    }

    std::vector<place> places_;
};

/// `apply`: one value.
template <class R>
class single_result
{
public:
    static constexpr bool shareable = false;
    using completed = R;

    void expect(std::size_t) noexcept {}
    void keep(std::uint64_t, R&& value) { value_.emplace(std::move(value)); }
    void keep_failure(std::uint64_t, std::exception_ptr) noexcept {}
    R release() { return std::move(*value_); }
    void forget() noexcept { value_.reset(); }

private:
    std::optional<R> value_;
};

/// `apply`, `map` and `starmap` of `void` tasks: nothing is kept.
class no_results
{
public:
    static constexpr bool shareable = false;
    using completed = void;

    void expect(std::size_t) noexcept {}
    void keep(std::uint64_t, std::monostate&&) noexcept {}
    void keep_failure(std::uint64_t, std::exception_ptr) noexcept {}
    void release() noexcept {}
    void forget() noexcept {}
};

/// `map`, `starmap`: the values in the order of the input.
template <class R>
class ordered_results
{
public:
    using completed = std::vector<R>;

    void expect(std::size_t total) { values_.expect(total); }
    void keep(std::uint64_t index, R&& value) { values_.emplace(index, std::move(value)); }
    template <class Value>
    requires sparse_vector<R>::in_place void keep_all(std::uint64_t index, std::size_t count, Value value)
    {
        values_.fill(index, count, value);
    }
    void keep_failure(std::uint64_t, std::exception_ptr) noexcept {}
    completed release() { return values_.release(); }
    void forget() noexcept { values_.forget(); }

    // Threads leave their results in place: see `sparse_vector::share`.
    static constexpr bool shareable = sparse_vector<R>::shareable;
    R* share(std::size_t total) noexcept { return values_.share(total); }
    void grow(std::size_t count) { values_.grow(count); }

private:
    sparse_vector<R> values_;
};

/// `try_map`: what became of each element.
template <class R>
class tried_results
{
public:
    static constexpr bool shareable = false;
    using completed = std::vector<result<R>>;

    void expect(std::size_t total) { values_.expect(total); }

    template <class Value>
    void keep(std::uint64_t index, Value&& value)
    {
        if constexpr (std::is_void_v<R>)
            values_.emplace(index, boost::system::in_place_value);
        else
            values_.emplace(index, boost::system::in_place_value, std::forward<Value>(value));
    }

    void keep_failure(std::uint64_t index, std::exception_ptr error)
    {
        values_.emplace(index, boost::system::in_place_error, std::move(error));
    }

    completed release() { return values_.release(); }
    void forget() noexcept { values_.forget(); }

private:
    sparse_vector<result<R>> values_;
};

template <class R>
using single_result_of = std::conditional_t<std::is_void_v<R>, no_results, single_result<R>>;

template <class R>
using ordered_results_of = std::conditional_t<std::is_void_v<R>, no_results, ordered_results<R>>;

} // namespace twat::mp::detail

#endif
