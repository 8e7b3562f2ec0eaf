// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_THREAD_CALL_HPP
#define TWAT_MP_DETAIL_OPERATION_THREAD_CALL_HPP

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/operation/call_operation.hpp>
#include <twat/mp/detail/function/describe.hpp>
#include <twat/mp/detail/function/signature.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/payload.hpp>
#include <twat/mp/detail/function/surely_copyable.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

/// One argument of a task, in the caller's process: owned, or referred to where the range has it.
template <class Parameter>
class thread_argument
{
public:
    /// Whether the call leaves the argument as it was, so that it can still be shown when the call has failed.
    static constexpr bool stays = std::is_trivially_copyable_v<Parameter>;
    const Parameter& peek() const noexcept { return value_; }

    template <class T>
    explicit thread_argument(std::in_place_t, T&& value) : value_(std::forward<T>(value))
    {}

    Parameter&& get() noexcept { return std::move(value_); }

private:
    Parameter value_;
};

template <class T>
class thread_argument<const T&>
{
public:
    static constexpr bool stays = true;
    const T& peek() const noexcept { return *element_; }

    explicit thread_argument(std::in_place_t, const T& element) : element_(std::addressof(element)) {}

    const T& get() noexcept { return *element_; }

private:
    const T* element_;
};

/** A task on a thread: its arguments, and its result once it ran. */
template <class Value, class... Parameters>
struct thread_task
{
    template <class... Ts>
    explicit thread_task(std::in_place_t, Ts&&... values)
        : arguments(thread_argument<Parameters>(std::in_place, std::forward<Ts>(values))...)
    {}

    /// Whether the task can be run a second time: with copies of its arguments, which the first call may have taken away.
    static constexpr bool copyable = (... && (std::is_lvalue_reference_v<Parameters> || surely_copyable<Parameters>));

    /// The same task anew. Another thread may run this one meanwhile, with copies of its own.
    thread_task copy() const requires copyable { return thread_task(arguments); }

    std::tuple<thread_argument<Parameters>...> arguments;
    std::optional<Value> result;

private:
    explicit thread_task(const std::tuple<thread_argument<Parameters>...>& copied) : arguments(copied) {}
};

/** Tasks in place: what thread workers take.

    A worker may run a task while the pool's strand reads the results of others and splits the tail off, so `at` reads nothing but
    the address of the first task.
*/
template <class Task>
class thread_payload final : public payload
{
public:
    std::size_t size() const noexcept override { return tasks_.size(); }

    std::unique_ptr<payload> split(std::size_t position) override
    {
        auto tail = std::make_unique<thread_payload>();
        tail->tasks_.reserve(tasks_.size() - position);
        for (std::size_t i = position; i < tasks_.size(); ++i)
            tail->tasks_.push_back(std::move(tasks_[i]));
        // Not erase: it would ask for arguments that can be assigned.
        while (tasks_.size() > position)
            tasks_.pop_back();
        return tail;
    }

    std::unique_ptr<payload> extract(std::size_t position) override
    {
        auto made = std::make_unique<thread_payload>();
        made->tasks_.push_back(std::move(at(position)));
        return made;
    }

    std::unique_ptr<payload> copy([[maybe_unused]] std::size_t position) override
    {
        if constexpr (Task::copyable) {
            auto made = std::make_unique<thread_payload>();
            made->tasks_.push_back(at(position).copy());
            return made;
        }
        return nullptr;
    }

    Task& at(std::size_t position) noexcept { return tasks_.data()[position]; }
    std::vector<Task>& tasks() noexcept { return tasks_; }

private:
    std::vector<Task> tasks_;
};

/** Tasks of a source that threads may read by themselves: nothing but their number. */
class thread_block final : public payload
{
public:
    std::size_t size() const noexcept override { return size_; }

    std::unique_ptr<payload> split(std::size_t position) override
    {
        auto tail = std::make_unique<thread_block>();
        tail->size_ = size_ - position;
        size_ = position;
        return tail;
    }

    std::unique_ptr<payload> extract(std::size_t) override
    {
        auto made = std::make_unique<thread_block>();
        made->size_ = 1;
        return made;
    }

    std::unique_ptr<payload> copy(std::size_t position) override { return extract(position); }

    void add(std::size_t count) noexcept { size_ += count; }

private:
    std::size_t size_ = 0;
};

/** The function and how it is called on workers of this address space: in place.

    A result stays with its task until `store` takes it, or, once `share_results` was called, goes where the caller wants it at once.
*/
template <class Workers, class F, class... Parameters>
class call_operation<Workers, F, parameter_list<Parameters...>, false> : public operation
{
public:
    using traits_type = task_traits<F, parameter_list<Parameters...>>;
    using value_type = typename traits_type::value;

    template <class G>
    call_operation(operation_traits traits, G&& f)
        : operation(with_function<F>(std::move(traits), traits_type::coroutine)), f_(std::forward<G>(f))
    {}

    const char* function_types() const noexcept override { return types_text<F, Parameters...>(); }

    std::unique_ptr<payload> make_payload() const override { return std::make_unique<payload_type>(); }

    std::exception_ptr run(payload& tasks, std::size_t position, std::uint64_t index) noexcept override
    {
        if constexpr (!traits_type::coroutine) {
            auto& task = static_cast<payload_type&>(tasks).at(position);
            try {
                const auto run_task = [&](auto& arguments) {
                    if (shares_results_)
                        put(index, [&]() -> decltype(auto) { return call(arguments); });
                    else if constexpr (std::is_void_v<typename traits_type::result>)
                        call(arguments), task.result.emplace();
                    else
                        task.result.emplace(call(arguments));
                };
                if constexpr (can_run_again) {
                    if (runs_again()) {
                        auto copies = task.arguments;
                        run_task(copies);
                        return nullptr;
                    }
                }
                run_task(task.arguments);
            }
            catch (...) {
                return annotate(std::current_exception(), index, describe(task));
            }
        }
        return nullptr;
    }

    std::size_t run_some(payload& tasks, task_gate& gate, std::size_t begin, std::size_t end, std::uint64_t first,
                         std::vector<failed_task>& failures) noexcept override
    {
        return run_each(gate, begin, end, failures,
                        [&](std::size_t position) { return call_operation::run(tasks, position, first + position); });
    }

    asio::awaitable<std::exception_ptr> run_async(payload& tasks, std::size_t position, std::uint64_t index) override
    {
        std::exception_ptr error;
        if constexpr (traits_type::coroutine) {
            auto& task = static_cast<payload_type&>(tasks).at(position);
            std::optional<decltype(task.arguments)> copies; // what the coroutine refers to
            try {
                if constexpr (can_run_again)
                    if (runs_again())
                        copies.emplace(task.arguments);
                auto running = call(copies ? *copies : task.arguments);
                if constexpr (std::is_void_v<typename traits_type::result>) {
                    co_await std::move(running);
                    task.result.emplace();
                } else {
                    task.result.emplace(co_await std::move(running));
                }
            }
            catch (...) {
                error = annotate(std::current_exception(), index, describe(task));
            }
        }
        co_return error;
    }

protected:
    /// Whether a task can be run a second time: with copies of its arguments, which the first call may have taken away.
    static constexpr bool can_run_again = thread_task<value_type, Parameters...>::copyable;

    /// Whether results can go to `share_results` from several threads at once.
    static constexpr bool can_share = !traits_type::coroutine && std::is_nothrow_move_assignable_v<value_type>;

    /// From now on the result of a task goes to `places[index]` when it ends. Null if there are no values. Before the first task runs.
    void share_results(value_type* places) noexcept
    {
        places_ = places;
        shares_results_ = true;
    }
    bool shares_results() const noexcept { return shares_results_; }

    /// @copydoc operation::run
    template <class... Ts>
    std::exception_ptr run_shared(std::uint64_t index, const Ts&... values) noexcept
    {
        try {
            put(index, [&]() -> decltype(auto) { return std::invoke(f_, values...); });
            return nullptr;
        }
        catch (...) {
            return annotate(std::current_exception(), index, describe_arguments(values...));
        }
    }

    /// Makes room for `count` more tasks.
    void reserve(payload& into, std::size_t count)
    {
        auto& tasks = static_cast<payload_type&>(into).tasks();
        tasks.reserve(tasks.size() + count);
    }

    /// Adds a task made of `values` behind those in `into`. Throws what copying a value throws.
    template <class... Ts>
    std::exception_ptr append(payload& into, std::size_t, std::uint64_t, Ts&&... values)
    {
        static_cast<payload_type&>(into).tasks().emplace_back(std::in_place, std::forward<Ts>(values)...);
        return nullptr;
    }

    /// Takes a result, for `keep`. Throws what moving it throws.
    template <class Keep>
    void take(const finished_task& task, Keep&& keep)
    {
        auto& result = static_cast<payload_type&>(*task.tasks).at(task.position).result;
        keep(std::move(*result));
        result.reset();
    }

private:
    using task_type = thread_task<value_type, Parameters...>;
    using payload_type = thread_payload<task_type>;

    /// The arguments as text, if the call cannot have taken them away.
    static std::string describe(const task_type& task) noexcept
    {
        if constexpr ((thread_argument<Parameters>::stays && ...)) {
            try {
                argument_text text;
                std::apply([&](const auto&... arguments) { (text(arguments.peek()), ...); }, task.arguments);
                return text.take();
            }
            catch (...) { // an operator<< of the user, or no memory: the exception is what matters
            }
        }
        return {};
    }

    template <class Call>
    void put([[maybe_unused]] std::uint64_t index, Call call_task) const
    {
        if constexpr (std::is_void_v<typename traits_type::result>)
            call_task();
        else if constexpr (can_share)
            places_[index] = static_cast<value_type>(call_task());
    }

    bool runs_again() const noexcept
    {
        return traits().options.retry.attempts > 1 || !traits().options.hedge_after.never();
    }

    template <class Arguments>
    decltype(auto) call(Arguments& all) const
    {
        return std::apply([this](auto&... arguments) -> decltype(auto) { return std::invoke(f_, arguments.get()...); },
                          all);
    }

    const F f_;
    value_type* places_ = nullptr;
    bool shares_results_ = false;
};

} // namespace twat::mp::detail

#endif
