// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WRAPPERS_HPP
#define TWAT_MP_WRAPPERS_HPP

#include <type_traits>
#include <utility>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/default_pool.hpp>
#include <twat/mp/later.hpp>
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/detail/operation/context_pool.hpp>

namespace twat::mp {

namespace detail {

/// Where the wrapped function runs: a pool that the caller keeps ...
template <class Pool>
class wrapped_pool
{
public:
    explicit wrapped_pool(Pool& pool) noexcept : pool_(&pool) {}
    Pool& get() const noexcept { return *pool_; }

private:
    Pool* pool_;
};

/// ... or the default one.
template <>
class wrapped_pool<void>
{
public:
    process_pool& get() const { return default_pool(); }
};

template <class F, class Pool>
class pmap_function
{
public:
    template <class G>
    pmap_function(G&& f, wrapped_pool<Pool> pool) : f_(std::forward<G>(f)), pool_(pool)
    {}

    template <class... Ranges>
    auto operator()(Ranges&&... ranges) const
    {
        return pool_.get().map(f_, std::forward<Ranges>(ranges)...);
    }

private:
    F f_;
    [[no_unique_address]] wrapped_pool<Pool> pool_;
};

template <class F, class Pool>
class imap_function
{
public:
    template <class G>
    imap_function(G&& f, wrapped_pool<Pool> pool) : f_(std::forward<G>(f)), pool_(pool)
    {}

    template <class... Ranges>
    auto operator()(Ranges&&... ranges) const
    {
        return pool_.get().imap(f_, std::forward<Ranges>(ranges)...);
    }

private:
    F f_;
    [[no_unique_address]] wrapped_pool<Pool> pool_;
};

template <class F, class Pool>
class amap_function
{
public:
    template <class G>
    amap_function(G&& f, wrapped_pool<Pool> pool) : f_(std::forward<G>(f)), pool_(pool)
    {}

    template <class... Ranges>
    auto operator()(Ranges&&... ranges) const
    {
        return later(pool_.get().amap(f_, std::forward<Ranges>(ranges)...));
    }

private:
    F f_;
    [[no_unique_address]] wrapped_pool<Pool> pool_;
};

template <class F, class Pool>
class apmap_function
{
public:
    template <class G>
    apmap_function(G&& f, Pool& pool) : f_(std::forward<G>(f)), pool_(&pool)
    {}

    template <class... As>
    auto operator()(As&&... args) const
    {
        return pool_->map(f_, std::forward<As>(args)...);
    }

private:
    F f_;
    Pool* pool_;
};

template <class F>
class apmap_function<F, void>
{
public:
    template <class G>
    explicit apmap_function(G&& f) : f_(std::forward<G>(f))
    {}

    template <class... Ranges>
    auto operator()(Ranges&&... ranges) const
    {
        static_assert(check_ranges<map_verb, Ranges...>());
        return map_on_context_pool<F, Ranges...>(f_, std::forward<Ranges>(ranges)...);
    }

private:
    F f_;
};

} // namespace detail

/** Makes a function of ranges out of a function of elements: `pmap(f)(xs)` calls `f` for every `x` on worker processes at once and
    returns a `std::vector` of the results; see `multi_pool::map`, also for several ranges and for what is thrown.

    The result is a copyable function object; it holds a copy of `f`.

    @par Example
    @code
    auto square = mp::pmap([](int x) { return x * x; });
    std::vector<int> r = square(std::views::iota(0, 10));
    @endcode
*/
template <class F>
auto pmap(F&& f)
{
    return detail::pmap_function<std::decay_t<F>, void>(std::forward<F>(f), detail::wrapped_pool<void>());
}

/// The same on `pool`, which must live as long as the wrapper is used.
template <class F, class Workers>
auto pmap(F&& f, multi_pool<Workers>& pool)
{
    using pool_type = multi_pool<Workers>;
    return detail::pmap_function<std::decay_t<F>, pool_type>(std::forward<F>(f), detail::wrapped_pool<pool_type>(pool));
}

/** As `pmap`, lazily: `imap(f)(xs)` returns a `result_range` whose elements are waited for one after the other; see `multi_pool::imap`.

    @par Example
    @code
    auto cube = mp::imap([](int x) { return x * x * x; });
    for (int c : cube(std::views::iota(0, 5)))
        std::cout << c << '\n';
    @endcode
*/
template <class F>
auto imap(F&& f)
{
    return detail::imap_function<std::decay_t<F>, void>(std::forward<F>(f), detail::wrapped_pool<void>());
}

/// The same on `pool`, which must live as long as the wrapper is used.
template <class F, class Workers>
auto imap(F&& f, multi_pool<Workers>& pool)
{
    using pool_type = multi_pool<Workers>;
    return detail::imap_function<std::decay_t<F>, pool_type>(std::forward<F>(f), detail::wrapped_pool<pool_type>(pool));
}

/** As `pmap`, without waiting: `amap(f)(xs)` starts at once and returns a `later`, whose results are fetched when they are first read.

    @par Example
    @code
    auto twice = mp::amap([](int x) { return x * 2; });
    auto later = twice(std::views::iota(0, 10));
    std::vector<int> v = later.get();
    @endcode
*/
template <class F>
auto amap(F&& f)
{
    return detail::amap_function<std::decay_t<F>, void>(std::forward<F>(f), detail::wrapped_pool<void>());
}

/// The same on `pool`, which must live as long as the wrapper is used.
template <class F, class Workers>
auto amap(F&& f, multi_pool<Workers>& pool)
{
    using pool_type = multi_pool<Workers>;
    return detail::amap_function<std::decay_t<F>, pool_type>(std::forward<F>(f), detail::wrapped_pool<pool_type>(pool));
}

/** As `pmap`, for coroutines: `co_await apmap(f)(xs)` is a `std::vector` of the results. `f` may itself be a coroutine.

    Runs on one `async_multi_pool` for each execution context, that of the coroutine which awaits. The pool is made at first use and
    ends with the context.

    @par Object Lifetimes
    An lvalue container is referred to and must live until completion; rvalues and views are moved in.

    @par Example
    @code
    auto twice = mp::apmap([](int x) { return x * 2; });
    std::vector<int> w = co_await twice(std::views::iota(0, 10));
    @endcode
*/
template <class F>
auto apmap(F&& f)
{
    return detail::apmap_function<std::decay_t<F>, void>(std::forward<F>(f));
}

/// The same on `pool`, which must live as long as the wrapper is used. The ranges may be followed by a completion token.
template <class F, class Workers, class Executor>
auto apmap(F&& f, basic_async_pool<Workers, Executor>& pool)
{
    return detail::apmap_function<std::decay_t<F>, basic_async_pool<Workers, Executor>>(std::forward<F>(f), pool);
}

} // namespace twat::mp

#endif
