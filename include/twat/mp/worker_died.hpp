// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WORKER_DIED_HPP
#define TWAT_MP_WORKER_DIED_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp {

/** A worker process ended that should not have: `errc::worker_died`.

    Of the tasks that the worker held, only those that it had begun fail with this. `what()` says who died, of what, and of
    which task: "worker 4711 was killed by signal 11 (Segmentation fault) while it ran task 50".
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

    /// @param note What else is known, in words; appended to `what()`.
    TWAT_MP_DECL worker_died(int pid, exit_status status, std::optional<std::size_t> task_index = {},
                             const std::string& note = {});

    const char* what() const noexcept override { return text_->c_str(); }

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

private:
    std::shared_ptr<const std::string> text_; // shared, so that copying cannot throw
    exit_status status_;
    std::optional<std::size_t> task_index_;
    int pid_;
};

} // namespace twat::mp

#endif
