// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CALL_HANDLE_HPP
#define TWAT_MP_CALL_HANDLE_HPP

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/function/temporaries.hpp>
#include <twat/mp/detail/operation/check_options.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/detail/operation/pool_verbs.hpp>

namespace twat::mp {

/** The verbs of a pool, under call options and perhaps a progress callback; what `with` returns.

    Shares the pool's state: it may outlive the pool object, and be used more than once.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const; the progress callback is copied into each operation.
*/
template <class Workers, class Executor = asio::any_io_executor, class Progress = detail::no_progress>
class call_handle : public detail::pool_verbs<call_handle<Workers, Executor, Progress>, Workers, Executor>
{
public:
    using executor_type = Executor;

    /// @private
    call_handle(std::shared_ptr<detail::pool_core> core, const Executor& executor, const call_options& options,
                Progress callback = {})
        : core_(std::move(core)), executor_(executor), settings_(options, std::move(callback))
    {
        detail::check_options(options);
    }

    /// The pool's executor.
    executor_type get_executor() const noexcept { return executor_; }

    /** Adds a progress callback: `co_await pool.with({}).on_progress(std::ref(bar)).map(f, xs)`.

        It is copied, and called on the pool's strand, as `callback(mp::progress)`, after outcomes arrived. It must not block; if it
        throws, the operation fails with that exception. A temporary that owns something is refused by g++ before 13, which destroys
        it twice within a `co_await` expression: name it first.
    */
    template <class Callback>
    auto on_progress(Callback&& callback) const
    {
        static_assert(std::is_invocable_v<std::decay_t<Callback>&, const progress&>,
                      "twat::mp: a progress callback is called as callback(const mp::progress&)");
        static_assert(!detail::destroys_temporaries_twice || std::is_lvalue_reference_v<Callback> ||
                          std::is_trivially_destructible_v<std::decay_t<Callback>>,
                      "twat::mp: on_progress takes no temporary that owns something; give the callback a name first "
                      "and pass that, "
                      "or std::ref of it");
        if constexpr (detail::check_copied<Callback>()) {
            auto added =
                detail::add_progress(settings_.callback(), std::decay_t<Callback>(std::forward<Callback>(callback)));
            return call_handle<Workers, Executor, decltype(added)>(core_, executor_, settings_.options(),
                                                                   std::move(added));
        } else {
            return *this;
        }
    }

    /// Keeps finished tasks in a file, so that a later run skips them; see `blocking_handle::journal`.
    auto journal(std::filesystem::path path, journal_sync sync = journal_sync::never) const
    {
        using progress_type = std::decay_t<decltype(detail::callback_of(settings_.callback()))>;
        using journaling = detail::journaling<progress_type>;
        return call_handle<Workers, Executor, journaling>(
            core_, executor_, settings_.options(),
            journaling({std::move(path), sync}, detail::callback_of(settings_.callback())));
    }

    /** Adds a callback that gets the bill of each task: `co_await pool.with({}).on_usage(std::ref(ledger)).map(f, xs)`.

        It is copied, and called on the pool's strand, as `callback(mp::usage)`, once for each task that ran to its end, before the operation completes and before
        the progress that counts the task. It must not block; if it throws, the operation fails with that exception. Measuring costs each task less than a
        microsecond in its worker. A temporary that owns something is refused as by `on_progress`.
    */
    template <class Callback>
    auto on_usage(Callback&& callback) const
    {
        static_assert(std::is_invocable_v<std::decay_t<Callback>&, const usage&>,
                      "twat::mp: a usage callback is called as callback(const mp::usage&)");
        static_assert(
            !detail::destroys_temporaries_twice || std::is_lvalue_reference_v<Callback> ||
                std::is_trivially_destructible_v<std::decay_t<Callback>>,
            "twat::mp: on_usage takes no temporary that owns something; give the callback a name first and pass that, "
            "or std::ref of it");
        if constexpr (detail::check_copied<Callback>()) {
            auto added =
                detail::add_usage(settings_.callback(), std::decay_t<Callback>(std::forward<Callback>(callback)));
            return call_handle<Workers, Executor, decltype(added)>(core_, executor_, settings_.options(),
                                                                   std::move(added));
        } else {
            return *this;
        }
    }

private:
    friend class detail::pool_verbs<call_handle, Workers, Executor>;

    const std::shared_ptr<detail::pool_core>& core() const noexcept { return core_; }
    const detail::call_settings<Progress>& settings() const noexcept { return settings_; }

    std::shared_ptr<detail::pool_core> core_;
    Executor executor_;
    detail::call_settings<Progress> settings_;
};

} // namespace twat::mp

#endif
