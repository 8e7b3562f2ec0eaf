// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WORKER_DIED_HPP
#define TWAT_MP_WORKER_DIED_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/life_phase.hpp>
#include <twat/mp/parcel.hpp>
#include <twat/mp/stacktrace.hpp>

namespace twat::mp {

/** A worker process ended that should not have: `errc::worker_died`.

    Of the tasks that the worker held, only those that it had begun fail with this. `what()` says who died, of what, and of
    which task: "worker 4711 was killed by signal 11 (Segmentation fault) while it ran task 50 (calling the function)".
    `boost::diagnostic_information` shows all that is known.

    Of several coroutine tasks in one worker the culprit is the one that was on the CPU. Those that were suspended beside it are
    bystanders, see `bystander()`. If none was on the CPU, as when the worker was killed from outside while it waited, all are bystanders.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const.
*/
class BOOST_SYMBOL_VISIBLE worker_died : public error
{
public:
    /// How a process ended.
    struct exit_status
    {
        bool known = false; ///< Not if the program reaps all children itself, or ignores `SIGCHLD`.
        int signal = 0;     ///< That killed it; 0 if none did.
        int exit_code = 0;  ///< If no signal killed it.
    };

    /// What is known of its last moment.
    struct circumstances
    {
        life_phase phase = life_phase::unknown; ///< What it was doing.
        std::size_t resident_size = 0;          ///< In bytes; 0: not known.
        /// Whether the kernel killed it because memory ran out.
        memory_verdict out_of_memory = memory_verdict::unknown;
        std::string stderr_tail{}; ///< The end of what it wrote to its standard error, if that was captured.
        mp::stacktrace stack{};    ///< See `worker_died::stacktrace`.
        bool bystander = false;    ///< The task was suspended, see `worker_died::bystander`.
        mp::parcel call{};         ///< The call that it died in, to run it again.
    };

    /// @param note Further information as text; appended to `what()`.
    TWAT_MP_DECL worker_died(int pid, exit_status status, std::optional<std::size_t> task_index = {},
                             const std::string& note = {});
    /// The same, with more.
    TWAT_MP_DECL worker_died(int pid, exit_status status, std::optional<std::size_t> task_index,
                             const std::string& note, circumstances last);

    const char* what() const noexcept override { return facts_->what.c_str(); }

    /// The process that died.
    int pid() const noexcept { return pid_; }
    /// The signal that killed it; 0 if none did, or it is not known.
    int signal() const noexcept { return status_.signal; }
    /// Its exit code; 0 if a signal killed it, or it is not known.
    int exit_code() const noexcept { return status_.exit_code; }
    /// Whether `signal()` and `exit_code()` say how it ended.
    bool status_known() const noexcept { return status_.known; }
    /// Whether it died in a task, and not before, between or after tasks.
    bool has_task() const noexcept { return task_index_.has_value(); }
    /// The task's position in the input. @pre `has_task()`
    std::size_t task_index() const noexcept { return *task_index_; }
    /// Whether the task was a suspended coroutine at that moment, so that something else killed the worker.
    bool bystander() const noexcept { return facts_->last.bystander; }
    /// What it was doing.
    life_phase phase() const noexcept { return facts_->last.phase; }
    /// The largest resident size that is known of it, in bytes; 0 if none is.
    std::size_t resident_size() const noexcept { return facts_->last.resident_size; }
    /// Whether the kernel killed it because memory ran out.
    memory_verdict out_of_memory() const noexcept { return facts_->last.out_of_memory; }
    /// The end of what it wrote to its standard error, up to 64 KiB, with `error_output::capture`; otherwise empty.
    const std::string& stderr_tail() const noexcept { return facts_->last.stderr_tail; }
    /// Where it crashed: the stack of the thread that SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT came to. Otherwise where its task thread was
    /// before it was killed for being stuck. Empty if it ended in another way, or a handler of the program's own took the signal.
    const mp::stacktrace& stacktrace() const noexcept { return facts_->last.stack; }
    /// The call that it died in, to run it again under a debugger. Empty without a task, for bystanders, and with large arguments.
    const mp::parcel& parcel() const noexcept { return facts_->last.call; }

private:
    struct facts
    {
        std::string what;
        circumstances last;
    };

    std::shared_ptr<const facts> facts_; // shared, so that copying cannot throw
    exit_status status_;
    std::optional<std::size_t> task_index_;
    int pid_;
};

} // namespace twat::mp

#endif
