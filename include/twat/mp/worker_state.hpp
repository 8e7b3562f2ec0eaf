// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WORKER_STATE_HPP
#define TWAT_MP_WORKER_STATE_HPP

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/task.hpp>

#include <twat/mp/detail/function/call_result.hpp>
#include <twat/mp/detail/function/stateful.hpp>

namespace twat::mp {

namespace detail {

/// The state of one worker, its type forgotten.
class TWAT_MP_DECL worker_state_base
{
public:
    worker_state_base() = default;
    worker_state_base(const worker_state_base&) = delete;
    worker_state_base& operator=(const worker_state_base&) = delete;
    virtual ~worker_state_base();
    virtual void* object() noexcept = 0;
    virtual const std::type_info& type() const noexcept = 0;
};

/// The calling worker keeps this from now on.
TWAT_MP_DECL void keep_state(std::unique_ptr<worker_state_base> state);

template <class T>
class worker_state_of final : public worker_state_base
{
public:
    /// @param make Its result is the state, without a move.
    template <class Make>
    explicit worker_state_of(Make&& make) : value_(std::forward<Make>(make)())
    {}
    void* object() noexcept override { return std::addressof(value_); }
    const std::type_info& type() const noexcept override { return typeid(T); }

private:
    T value_;
};

template <class T>
class pointed_worker_state final : public worker_state_base
{
public:
    explicit pointed_worker_state(std::unique_ptr<T> value) : value_(std::move(value)) {}
    void* object() noexcept override { return value_.get(); }
    const std::type_info& type() const noexcept override { return typeid(T); }

private:
    std::unique_ptr<T> value_;
};

[[noreturn]] TWAT_MP_DECL void throw_null_state(const std::type_info& type);

template <class T, class Made>
concept points_to_state = !std::is_constructible_v<T, Made> && std::is_constructible_v<std::unique_ptr<T>, Made>;

template <class T, class Made>
constexpr bool makes_state() noexcept
{
    if constexpr (std::is_same_v<T, std::remove_cv_t<Made>>)
        return true;
    else
        return std::is_constructible_v<T, Made> || points_to_state<T, Made>;
}

/// @param make Returns what the factory made.
template <class T, class Make>
void make_state(Make make)
{
    using made = decltype(make());
    if constexpr (points_to_state<T, made> && !std::is_same_v<T, std::remove_cv_t<made>>) {
        std::unique_ptr<T> value(make());
        if (!value)
            throw_null_state(typeid(T));
        keep_state(std::make_unique<pointed_worker_state<T>>(std::move(value)));
    } else {
        keep_state(std::make_unique<worker_state_of<T>>(make));
    }
}

/** Calls a factory in a worker, which keeps what it returns. */
template <class T, class F>
class state_maker
{
public:
    explicit state_maker(F factory) : factory_(std::move(factory)) {}

    const F& function() const noexcept { return factory_; }

    template <class... Args>
    requires std::is_invocable_v<const F&, Args...>
    auto operator()(Args&&... args) const
    {
        if constexpr (is_coroutine_call<F, Args...>)
            return await(std::invoke(factory_, std::forward<Args>(args)...));
        else
            make_state<T>([&]() -> decltype(auto) { return std::invoke(factory_, std::forward<Args>(args)...); });
    }

private:
    template <class Made>
    static asio::awaitable<void> await(asio::awaitable<Made> making)
    {
        auto made = co_await std::move(making);
        make_state<T>([&]() -> decltype(auto) { return std::move(made); });
    }

    F factory_;
};

template <class T, class F>
inline constexpr bool is_portable<state_maker<T, F>> = is_portable<F>;

template <class T, class F>
struct portable_check<state_maker<T, F>> : portable_check<F>
{};

template <class T, class F>
struct function_state<state_maker<T, F>>
{
    static void write(encoder& out, const state_maker<T, F>& f) { function_state<F>::write(out, f.function()); }
    static state_maker<T, F> read(decoder& in) { return state_maker<T, F>(function_state<F>::read(in)); }
};

template <class T>
struct default_state
{
    T operator()() const { return T(); }
};

} // namespace detail

/** How each worker of a pool makes its state: `pool_options::state`. Made by `worker_state`; empty by default.

    Copies share the factory. Distinct objects: safe. Shared objects: safe, except assignment.
*/
class state_factory
{
public:
    state_factory() = default;

    /// @private See `worker_state`.
    state_factory(task make, const std::type_info& type) : make_(std::move(make)), type_(&type) {}

    /// Whether workers have a state.
    explicit operator bool() const noexcept { return type_ != nullptr; }
    /// Whether it can be sent to a process worker. An empty one can.
    bool portable() const noexcept { return make_.portable(); }
    /// Of the state; null: workers have none.
    const std::type_info* type() const noexcept { return type_; }
    /// Makes the calling worker's state.
    const task& maker() const noexcept { return make_; }

private:
    task make_;
    const std::type_info* type_ = nullptr;
};

/** For `pool_options::state`: every worker has a `T` of its own, which is what `factory(args...)` returns in it.

    A model, a connection to a database, a decoder: what is dear to make and is used by one task after the other. A task whose first
    parameter is `T&` gets the `T` of its worker, in all verbs and also as a coroutine; so does the function that `partial` binds further
    parameters of. Other functions get it from `this_worker::state`. A plain task has it for itself; coroutine tasks of one worker share it.

    It is made after the initializer has run and before the worker's first task. A factory that throws fails as an initializer that throws:
    `errc::initializer_failed`, its exception nested. It lives until the worker has ended in order: its tasks first, then the finalizer, which
    may take `T&`, then the state is destroyed. (What the state needs at its end belongs in the destructor of `T`, not in a finalizer that
    undoes the initializer.) In a worker that is killed nothing runs.

    `T` need be neither movable nor encodable: it never leaves its worker. `factory` may return what a `T` is constructed from, a
    `std::unique_ptr` to it (also for an abstract `T`), or an `asio::awaitable` of these. It is called as const, with `args` as const&.

    For process workers the factory must be portable and its arguments encodable, and the worker must be this program; the pool's
    constructor throws `std::invalid_argument` otherwise, naming `pool_options::state`. A task that wants the state of a pool that has
    none, or has another type, fails with `std::logic_error` before it is sent.

    On threads a task that waits for a call on its own pool may run other tasks of that call meanwhile: these get the same `T`. An
    `inline_pool` has one `T`; threads that use it take turns.

    @par Example
    `look_up` is a function `std::string(database& db, int id)`, `count_queries` a `std::size_t(database& db)`.
    @code
    mp::pool_options options;
    options.state = mp::worker_state<database>(open_database, "catalogue.db");
    options.finalizer = mp::task(count_queries);
    mp::process_pool pool(options);
    std::vector<std::string> names = pool.map(look_up, ids); // each worker with its own connection
    @endcode

    @tparam T The type of the state.
    @param factory Called as `factory(args...)` in each worker.
    @param args Copied or moved; a string literal becomes a `std::string`.
*/
template <class T, class F, class... Args>
state_factory worker_state(F&& factory, Args&&... args)
{
    static_assert(std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>> && !std::is_array_v<T>,
                  "twat::mp: worker_state<T>: T is the type of an object, without const");
    using function = std::decay_t<F>;
    constexpr bool callable = std::is_invocable_v<const function&, const detail::sent_type_t<Args>&...>;
    static_assert(callable, "twat::mp: worker_state<T>(factory, args...): the factory cannot be called with these "
                            "arguments. It is called as "
                            "const, with const& to the decayed arguments");
    if constexpr (callable) {
        using returned = std::invoke_result_t<const function&, const detail::sent_type_t<Args>&...>;
        using made = std::conditional_t<detail::awaited<std::remove_cvref_t<returned>>::coroutine,
                                        typename detail::awaited<std::remove_cvref_t<returned>>::type, returned>;
        constexpr bool makes = detail::makes_state<T, made>();
        static_assert(makes,
                      "twat::mp: worker_state<T>(factory, args...): no T can be made of what the factory returns");
        if constexpr (makes)
            return state_factory(
                task(detail::state_maker<T, function>(std::forward<F>(factory)), std::forward<Args>(args)...),
                typeid(T));
    }
    return {};
}

/// The same for a `T` that is made by its default constructor.
template <class T>
state_factory worker_state()
{
    return worker_state<T>(detail::default_state<T>());
}

namespace this_worker {

/** The state of the worker that runs the calling task: see `worker_state`.

    @throws std::logic_error if the caller is no worker, or its pool has no state or one of another type.
*/
template <class T>
T& state()
{
    return *static_cast<T*>(detail::current_state(typeid(T)));
}

} // namespace this_worker

} // namespace twat::mp

#endif
