// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_JOB_THREAD_HPP
#define TWAT_MP_SRC_OS_JOB_THREAD_HPP

#include <twat/mp/config.hpp>

#include <atomic>
#include <functional>

namespace twat::mp::detail {

/** A thread of the library's own for what takes long, so that no event loop has to do it. Made when it is first needed. For globals.

    What it runs may be the application's own code. So it has a stack of the usual size, and it does not outlive the application's globals:
    when the program ends (`exit`, or `main` returns), what has not begun is dropped, and what runs is waited for, a second at most. It
    blocks all signals. A process that was forked gets a thread of its own at the next `post`.
*/
class TWAT_MP_DECL job_thread
{
public:
    /// @param name Of the thread, up to 15 characters.
    explicit constexpr job_thread(const char* name) noexcept : name_(name) {}

    /// Runs `job` there, behind what was posted before. It must not throw. Any thread. False: there can be no thread, or the program ends; `job`
    /// was destroyed.
    bool post(std::function<void()> job) noexcept;

private:
    class queue;

    queue& own_queue();

    const char* const name_;
    std::atomic<queue*> current_{nullptr};
};

} // namespace twat::mp::detail

#endif
