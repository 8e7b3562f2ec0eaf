// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_COUNTS_HPP
#define TWAT_MP_SRC_POOL_COUNTS_HPP

#include <cstddef>
#include <mutex>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/** The plain counts of `pool_stats`: a new one is named here, and nowhere else in the pool.

    Histograms, tenants and labels have places of their own, where any thread may read them.
*/
inline constexpr std::tuple plain_counts{
    &pool_stats::nodes,          &pool_stats::ready,      &pool_stats::busy,      &pool_stats::pending,
    &pool_stats::running,        &pool_stats::done,       &pool_stats::failed,    &pool_stats::died,
    &pool_stats::restarts,       &pool_stats::cancelled,  &pool_stats::abandoned, &pool_stats::recycled,
    &pool_stats::starting,       &pool_stats::retired,    &pool_stats::waiting,   &pool_stats::pending_bytes,
    &pool_stats::timed_out,      &pool_stats::refused,    &pool_stats::resumed,   &pool_stats::retried,
    &pool_stats::hedged,         &pool_stats::hedges_won, &pool_stats::lost,      &pool_stats::bytes_sent,
    &pool_stats::bytes_received, &pool_stats::chaos};

/// Their values. A `pool_stats` has six vectors beside the counts: copying it three times made 6 % of the instructions of a short call.
class pool_counts
{
public:
    pool_counts() = default;
    explicit pool_counts(const pool_stats& of)
    {
        for_each([&](auto field, auto& value) { value = of.*field; });
    }

    void copy_to(pool_stats& to) const
    {
        for_each([&](auto field, const auto& value) { to.*field = value; });
    }

    /// One of them, as in `get<&pool_stats::nodes>()`.
    template <auto Field>
    auto& get() noexcept
    {
        return std::get<place_of<Field>()>(values_);
    }

    friend bool operator==(const pool_counts&, const pool_counts&) = default;

private:
    template <class... Values>
    static std::tuple<Values...> values_of(const std::tuple<Values pool_stats::*...>&);
    using values = decltype(values_of(plain_counts));
    static constexpr std::size_t size = std::tuple_size_v<values>;

    template <auto Field, std::size_t I = 0>
    static constexpr std::size_t place_of() noexcept
    {
        static_assert(I != size, "none of plain_counts");
        if constexpr (is_field<Field>(std::get<I>(plain_counts)))
            return I;
        else
            return place_of<Field, I + 1>();
    }
    template <auto Field, class Other>
    static constexpr bool is_field(Other other) noexcept
    {
        if constexpr (std::is_same_v<Other, std::remove_const_t<decltype(Field)>>)
            return other == Field;
        else
            return false;
    }

    template <class F>
    void for_each(F&& f)
    {
        for_each(*this, f, std::make_index_sequence<size>());
    }
    template <class F>
    void for_each(F&& f) const
    {
        for_each(*this, f, std::make_index_sequence<size>());
    }
    template <class Self, class F, std::size_t... I>
    static void for_each(Self& self, F& f, std::index_sequence<I...>)
    {
        (f(std::get<I>(plain_counts), std::get<I>(self.values_)), ...);
    }

    values values_{};
};

/// What a pool tells other threads after each of its steps.
class published_counts
{
public:
    /// On the strand.
    void publish(const pool_counts& now)
    {
        if (now == latest_)
            return;
        latest_ = now;
        std::lock_guard lock(mutex_);
        shared_ = now;
    }
    /// On the strand.
    void publish_hosts(std::vector<host_stats> hosts)
    {
        std::lock_guard lock(mutex_);
        hosts_.swap(hosts);
    }
    /// From any thread.
    void copy_to(pool_stats& to) const
    {
        std::lock_guard lock(mutex_);
        shared_.copy_to(to);
        to.hosts = hosts_;
    }

private:
    pool_counts latest_; // a copy of `shared_`, which the strand need not lock
    mutable std::mutex mutex_;
    pool_counts shared_;
    std::vector<host_stats> hosts_;
};

} // namespace twat::mp::detail

#endif
