// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TASK_HPP
#define TWAT_MP_TASK_HPP

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/detail/function/partial.hpp>

namespace twat::mp {

namespace detail {

/// The function of a `task` and its arguments, their types forgotten.
class TWAT_MP_DECL task_base
{
public:
    virtual ~task_base();
    virtual bool portable() const noexcept = 0;
    virtual byte_buffer encode(bool by_name) const = 0;
    virtual bool is_coroutine() const noexcept = 0;
    virtual void run() const = 0;
    virtual asio::awaitable<void> run_async() const = 0;
};

/// Throws `std::logic_error`: the task cannot be sent.
[[noreturn]] TWAT_MP_DECL void throw_not_portable();

template <class F>
class task_model;

} // namespace detail

/** One call of a function, made later and elsewhere: `pool_options::initializer` and `finalizer`.

    Holds any callable and its arguments, which are passed as const&, for the call is made once in every worker. What the
    function returns is dropped; it may also be a coroutine, which then runs on the worker's own context. Copies share the
    function. Empty by default. Distinct objects: safe. Shared objects: safe, except assignment.

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
                std::is_invocable_v<const std::decay_t<F>&, const detail::sent_type_t<Args>&...>
    task(F&& f, Args&&... args);

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
    detail::byte_buffer encode(bool by_name) const { return call_->encode(by_name); }

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

    byte_buffer encode([[maybe_unused]] bool by_name) const override
    {
        if constexpr (is_portable<F>)
            return encode_function<F>(f_, by_name);
        else
            throw_not_portable();
    }

    bool is_coroutine() const noexcept override { return is_coroutine_call<F>; }

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
    F f_;
};

template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, task>) &&
            std::is_invocable_v<const std::decay_t<F>&, const detail::sent_type_t<Args>&...>
task::task(F&& f, Args&&... args)
{
    using bound = detail::partial_function<std::decay_t<F>, detail::sent_type_t<Args>...>;
    call_ = std::make_shared<detail::task_model<bound>>(
        bound(std::in_place, std::forward<F>(f), detail::as_sent(std::forward<Args>(args))...));
}

} // namespace twat::mp

#endif
