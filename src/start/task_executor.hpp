// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_TASK_EXECUTOR_HPP
#define TWAT_MP_SRC_START_TASK_EXECUTOR_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

#include "start/coroutine_task.hpp"

namespace twat::mp::detail {

/** Of the worker's io_context, for one coroutine task: whatever runs through it runs with the task on the CPU.

    A coroutine is resumed through its executor wherever it waited, and so are those that it spawns there. What runs through it after the
    task has ended is nobody's. Small and cheap to copy, as Asio copies it several times for each operation: it fits into
    `any_io_executor` without an allocation.
*/
template <class Inner = boost::asio::io_context::executor_type>
class task_executor
{
public:
    task_executor(const Inner& inner, coroutine_task& task) noexcept : task_executor(inner, &task, task.life) {}

    template <class Property>
    auto query(const Property& p) const noexcept -> decltype(boost::asio::query(std::declval<const Inner&>(), p))
    {
        return boost::asio::query(inner_, p);
    }
    template <class Property>
    auto require(const Property& p) const
        -> task_executor<std::decay_t<decltype(boost::asio::require(std::declval<const Inner&>(), p))>>
    {
        return {boost::asio::require(inner_, p), task_, life_};
    }
    template <class Property>
    auto prefer(const Property& p) const
        -> task_executor<std::decay_t<decltype(boost::asio::prefer(std::declval<const Inner&>(), p))>>
    {
        return {boost::asio::prefer(inner_, p), task_, life_};
    }

    template <class F>
    void execute(F&& f) const
    {
        inner_.execute([task = task_, life = life_, f = std::decay_t<F>(std::forward<F>(f))]() mutable {
            if (task->life == life)
                run_on_cpu(*task, f);
            else
                f();
        });
    }

    friend bool operator==(const task_executor& a, const task_executor& b) noexcept
    {
        return a.inner_ == b.inner_ && a.task_ == b.task_ && a.life_ == b.life_;
    }
    friend bool operator!=(const task_executor& a, const task_executor& b) noexcept { return !(a == b); }

private:
    template <class>
    friend class task_executor;

    task_executor(const Inner& inner, coroutine_task* task, std::uint64_t life) noexcept
        : inner_(inner), task_(task), life_(life)
    {}

    Inner inner_;
    coroutine_task* task_;
    std::uint64_t life_;
};

} // namespace twat::mp::detail

#endif
