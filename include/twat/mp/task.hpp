// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TASK_HPP
#define TWAT_MP_TASK_HPP

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/attachments.hpp>
#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/detail/function/partial.hpp>
#include <twat/mp/detail/function/stateful.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp {

namespace detail {

/// The function of a `task` and its arguments, their types forgotten.
class TWAT_MP_DECL task_base
{
public:
    virtual ~task_base();
    virtual bool portable() const noexcept = 0;
    virtual attached_bytes encode(bool by_name) const = 0;
    virtual bool is_coroutine() const noexcept = 0;
    virtual const std::type_info* wanted_state() const noexcept = 0;
    virtual const std::type_info& result_type() const noexcept = 0;
    virtual std::shared_ptr<const void> run_for_result() const = 0;
    virtual void run() const = 0;
    virtual asio::awaitable<void> run_async() const = 0;
};

/// Throws `std::logic_error`: the task cannot be sent.
[[noreturn]] TWAT_MP_DECL void throw_not_portable();

template <class F>
class task_model;

/// What `task` calls for a function and its arguments, without further ones.
template <class F, class... Args>
using bound_task_t = task_function_t<partial_function<std::decay_t<F>, sent_type_t<Args>...>, parameter_list<>>;

} // namespace detail

/** One call of a function, made later and elsewhere: `pool_options::initializer` and `finalizer`.

    Holds any callable and its arguments, which are passed as const&, for the call is made once in every worker. What an initializer
    returns is dropped, what a finalizer returns is kept for `exit_results`. The function may also be a coroutine, which then runs on the worker's own context. Copies share the
    function. Empty by default. Distinct objects: safe. Shared objects: safe, except assignment.
    The finalizer may take the worker's state as its first parameter, see `worker_state`.

    For process workers the function must be portable and the arguments encodable; the pool's constructor tells if not.

    @par Example
    @code
    mp::pool_options options;
    options.initializer = mp::task(load_model, "model.bin");
    @endcode
*/
class task
{
public:
    task() = default;

    /// @param f Called as `f(args...)`. @param args Copied or moved; a string literal becomes a `std::string`.
    template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, task>) &&
        std::is_invocable_v<const detail::bound_task_t<F, Args...>&> task(F&& f, Args&&... args);

    /// @private A call that is there already.
    explicit task(std::shared_ptr<const detail::task_base> call) noexcept : call_(std::move(call)) {}

    /// Whether there is a function.
    explicit operator bool() const noexcept { return call_ != nullptr; }

    /// Whether it can be sent to a process worker. An empty task can.
    bool portable() const noexcept { return !call_ || call_->portable(); }

    /// Whether the function is a coroutine.
    bool is_coroutine() const noexcept { return call_ && call_->is_coroutine(); }

    /** The call as bytes for a worker's `decode_function`; it is then called without further arguments.

        @throws error `errc::unknown_function` as `encode_function`. @pre `*this` and `portable()`
        @param by_name The worker is another program.
    */
    detail::attached_bytes encode(bool by_name) const { return call_->encode(by_name); }

    /// The type of the worker's state that the function takes; null: none.
    const std::type_info* wanted_state() const noexcept { return call_ ? call_->wanted_state() : nullptr; }

    /// What the function returns, `void` if nothing; of a coroutine, its result.
    const std::type_info& result_type() const noexcept { return call_ ? call_->result_type() : typeid(void); }

    /// As `run`, and keeps what the function returns: a `const R`, or null if that is `void`. @pre `*this`
    std::shared_ptr<const void> run_for_result() const { return call_->run_for_result(); }

    /// Makes the call here, in a worker thread. A coroutine is run to its end on the worker's own context. @pre `*this`
    void run() const { call_->run(); }

    /// The same as `run`.
    void operator()() const { run(); }

    /// The same as a coroutine, whatever the function is. The task must live until it is done. @pre `*this`
    asio::awaitable<void> run_async() const { return call_->run_async(); }

private:
    std::shared_ptr<const detail::task_base> call_;
};

template <class F>
class detail::task_model final : public task_base
{
public:
    explicit task_model(F f) : f_(std::move(f)) {}

    bool portable() const noexcept override { return is_portable<F>; }

    attached_bytes encode([[maybe_unused]] bool by_name) const override
    {
        if constexpr (is_portable<F>)
            return encode_function<F>(f_, by_name);
        else
            throw_not_portable();
    }

    bool is_coroutine() const noexcept override { return is_coroutine_call<F>; }
    const std::type_info* wanted_state() const noexcept override { return detail::wanted_state<F>::type(); }
    const std::type_info& result_type() const noexcept override { return typeid(result); }

    std::shared_ptr<const void> run_for_result() const override
    {
        if constexpr (!std::is_void_v<result> && std::is_move_constructible_v<result>) {
            if constexpr (is_coroutine_call<F>) {
                std::shared_ptr<const void> kept;
                run_to_completion(keep_result(kept));
                return kept;
            } else {
                return std::make_shared<const result>(f_());
            }
        } else {
            run();
            return nullptr;
        }
    }

    void run() const override
    {
        if constexpr (is_coroutine_call<F>)
            run_to_completion(run_async());
        else
            static_cast<void>(f_());
    }

    asio::awaitable<void> run_async() const override
    {
        if constexpr (is_coroutine_call<F>) {
            auto running = f_();
            co_await std::move(running);
        } else {
            static_cast<void>(f_());
        }
        co_return;
    }

private:
    using result = call_result_t<F>;

    asio::awaitable<void> keep_result(std::shared_ptr<const void>& kept) const
    {
        auto running = f_();
        auto value = co_await std::move(running);
        kept = std::make_shared<const result>(std::move(value));
    }

    F f_;
};

template <class F, class... Args>
requires(!std::same_as<std::remove_cvref_t<F>, task>) &&
    std::is_invocable_v<const detail::bound_task_t<F, Args...>&> task::task(F&& f, Args&&... args)
{
    using bound = detail::partial_function<std::decay_t<F>, detail::sent_type_t<Args>...>;
    call_ = std::make_shared<detail::task_model<detail::bound_task_t<F, Args...>>>(
        bound(std::in_place, std::forward<F>(f), detail::as_sent(std::forward<Args>(args))...));
}

} // namespace twat::mp

#endif
