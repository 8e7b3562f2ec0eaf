// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_CODEC_THREAD_HPP
#define TWAT_MP_SRC_PROCESS_CODEC_THREAD_HPP

#include <functional>

namespace twat::mp::detail {

/** The thread on which large values are decoded, so that no event loop has to. One for all pools, made when it is first needed.

    What it runs may be the application's own codecs. So it has a stack of the usual size, and it does not outlive the application's globals:
    when the program ends (`exit`, or `main` returns), what has not begun is dropped, and what runs is waited for, a second at most. It
    blocks all signals. A process that was forked gets a thread of its own at the next `post`.
*/
class codec_thread
{
public:
    /// Runs `job` there, behind what was posted before. It must not throw. Any thread. False: there can be no thread, or the program ends; `job`
    /// was destroyed.
    static bool post(std::function<void()> job) noexcept;
};

} // namespace twat::mp::detail

#endif
