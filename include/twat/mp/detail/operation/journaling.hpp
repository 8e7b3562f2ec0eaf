// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_JOURNALING_HPP
#define TWAT_MP_DETAIL_OPERATION_JOURNALING_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/core/demangle.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/detail/function/call_result.hpp>
#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/detail/function/function_state.hpp>
#include <twat/mp/detail/function/portable_traits.hpp>
#include <twat/mp/detail/function/stateful.hpp>
#include <twat/mp/detail/function/task_traits.hpp>
#include <twat/mp/detail/operation/journal.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/worker.hpp>

namespace twat::mp::detail {

/// In the place of a progress callback: that, and a journal.
template <class Progress>
class journaling
{
public:
    journaling(journal_place place, Progress callback) : place_(std::move(place)), callback_(std::move(callback)) {}

    const journal_place& place() const noexcept { return place_; }
    const Progress& callback() const noexcept { return callback_; }
    Progress& callback() noexcept { return callback_; }

    /// Each operation has its own.
    const std::shared_ptr<journal_use>& use()
    {
        if (!use_)
            use_ = std::make_shared<journal_use>(place_);
        return use_;
    }

private:
    journal_place place_;
    [[no_unique_address]] Progress callback_;
    std::shared_ptr<journal_use> use_;
};

template <class Progress>
inline constexpr bool is_journaling = false;
template <class Progress>
inline constexpr bool is_journaling<journaling<Progress>> = true;

/// The callback alone.
template <class Progress>
const Progress& callback_of(const Progress& progress) noexcept
{
    return progress;
}
template <class Progress>
const Progress& callback_of(const journaling<Progress>& progress) noexcept
{
    return progress.callback();
}

template <class T>
inline constexpr bool gives_awaitable = false;
template <class T, class Executor>
inline constexpr bool gives_awaitable<asio::awaitable<T, Executor>> = true;

/// How a journal of tasks on threads knows an argument.
template <class T>
struct journaled_argument
{
    static constexpr bool known = encodable<T>;
    static void write(encoder& out, const T& value) { out.write(value); }
};

/// What it does with a result.
template <class T>
struct journaled_result
{
    static constexpr bool known = encodable<T>;
    static bool keeps(const T&) noexcept { return true; }
};

/// A task's function on threads, whose results come from and go to a journal.
template <class F>
class journaled_function
{
public:
    journaled_function(F f, std::shared_ptr<journal_use> journal) : f_(std::move(f)), journal_(std::move(journal)) {}

    const F& inner() const noexcept { return f_; }

    template <class... Args>
    requires std::is_invocable_v<const F&, Args...>
    auto operator()(Args&&... args) const -> std::invoke_result_t<const F&, Args...>
    {
        static_assert((... && journaled_argument<std::remove_cvref_t<Args>>::known),
                      "twat::mp: an argument of a journaled task cannot be encoded, and a journal "
                      "knows its items by their encoded arguments");
        using result = std::invoke_result_t<const F&, Args...>;
        const journal_key key = key_of(args...);
        if constexpr (gives_awaitable<result>) {
            return later(key, std::invoke(f_, std::forward<Args>(args)...));
        } else {
            check_result<result>();
            if (const auto found = journal_->find(key))
                return read<result>(*found);
            if constexpr (std::is_void_v<result>) {
                std::invoke(f_, std::forward<Args>(args)...);
                journal_->append(key, {});
            } else {
                result made = std::invoke(f_, std::forward<Args>(args)...);
                keep(key, made);
                return made;
            }
        }
    }

private:
    template <class Result>
    static constexpr void check_result()
    {
        if constexpr (!std::is_void_v<Result>)
            static_assert(journaled_result<std::remove_cvref_t<Result>>::known,
                          "twat::mp: the result of a journaled task cannot be encoded");
    }

    template <class... Args>
    static journal_key key_of(const Args&... args)
    {
        encoder bytes;
        (journaled_argument<Args>::write(bytes, args), ...);
        return {this_task::index(), hash_of(bytes.bytes())};
    }

    template <class Result>
    static Result read([[maybe_unused]] const std::vector<std::byte>& bytes)
    {
        if constexpr (!std::is_void_v<Result>) {
            decoder in(bytes);
            return in.template read<std::remove_cvref_t<Result>>();
        }
    }

    template <class Result>
    void keep(const journal_key& key, const Result& made) const
    {
        if (!journaled_result<Result>::keeps(made))
            return;
        encoder out;
        out.write(made);
        journal_->append(key, out.bytes());
    }

    // A coroutine that was made and is not awaited has not begun.
    template <class Result, class Executor>
    asio::awaitable<Result, Executor> later(journal_key key, asio::awaitable<Result, Executor> running) const
    {
        check_result<Result>();
        const std::shared_ptr<journal_use> journal = journal_;
        const auto found = journal->find(key);
        if (found)
            co_return read<Result>(*found);
        if constexpr (std::is_void_v<Result>) {
            co_await std::move(running);
            journal->append(key, {});
        } else {
            Result made = co_await std::move(running);
            keep(key, made);
            co_return made;
        }
    }

    F f_;
    std::shared_ptr<journal_use> journal_;
};

template <class F>
struct wanted_state<journaled_function<F>> : wanted_state<F>
{};

template <class F>
struct journaled_inner
{
    using type = F;
    static const F& of(const F& f) { return f; }
};
template <class F>
struct journaled_inner<journaled_function<F>>
{
    using type = F;
    static const F& of(const journaled_function<F>& f) { return f.inner(); }
};

template <class F>
inline constexpr bool is_journaled_function = !std::is_same_v<typename journaled_inner<F>::type, F>;

/// Whose results a journal of these tasks has. A function that cannot be sent is known by its type alone.
template <class F, class... Parameters>
journal_owner owner_of(const F& f, parameter_list<Parameters...>)
{
    using function = typename journaled_inner<F>::type;
    journal_owner owner{boost::core::demangle(typeid(function).name())};
    ((owner.function += " " + boost::core::demangle(typeid(Parameters).name())), ...);
    if constexpr (is_portable<function> && (... && encodable<std::decay_t<Parameters>>)) {
        const attached_bytes encoded =
            encode_function<function, std::decay_t<Parameters>...>(journaled_inner<F>::of(f), false);
        owner.hash = hash_of(encoded.bytes.bytes());
    } else if constexpr (is_portable<function>) { // elements that threads have where they are
        encoder bytes;
        bytes.allow(travellers::memory);
        bytes.write(owner.function);
        function_state<function>::write(bytes, journaled_inner<F>::of(f));
        owner.hash = hash_of(bytes.bytes());
    } else {
        owner.hash = hash_of(std::as_bytes(std::span(owner.function)));
    }
    return owner;
}

/// The operation, with the journal that the call names, if it names one.
template <bool Encodes, class Parameters, class Progress, class F>
std::shared_ptr<operation> with_journal(Progress& progress, const F& f, auto make)
{
    if constexpr (is_journaling<Progress>) {
        std::shared_ptr<journal_use> use = progress.use();
        journal_owner owner = owner_of(f, Parameters());
        return journaled(make(), std::move(use), std::move(owner), Encodes);
    } else {
        return make();
    }
}

} // namespace twat::mp::detail

#endif
