// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_STACKS_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_STACKS_HPP

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <twat/mp/stacktrace.hpp>

#include "backend/chunk.hpp"
#include "shm/stack_area.hpp"

namespace twat::mp::detail {

class child;

/** The stacks of one worker process, as its parent sees them. Lives as long as somebody may look at one.

    A worker is asked by a signal and answers in its own time, so asking costs a system call and waits for nothing: whoever looks at the
    stack waits for the answer. Members are for the pool's strand.
*/
class worker_stacks : public std::enable_shared_from_this<worker_stacks>
{
public:
    /// How long a worker has for its answer: its end, if that is due, waits for it no longer.
    static constexpr duration patience = std::chrono::milliseconds(20);

    explicit worker_stacks(stack_area area) noexcept : area_(std::move(area)) {}

    /// Of a worker that died of this signal: where that came. Empty if it left nothing.
    stacktrace crash(int signal) const;

    /// Asks the worker what its task thread does. While a request is under way its stack is returned again, whatever the note. Empty if
    /// the worker cannot be asked. @param note What is known besides. @param how What the place is, as in `raw_stack`.
    stacktrace ask(child& process, std::string note, const char* how);
    /// The last one that was asked for; may be empty.
    const stacktrace& asked() const noexcept { return last_; }
    /// How long the end of the worker may wait for the answer to the last request; zero: it is there, or late.
    duration time_to_answer() const noexcept;

    /// Ends the last request, whether it was answered or not. When the worker is over, or nobody looks after it any more: a request keeps this alive.
    void settle() noexcept;

private:
    struct request;

    stack_area area_;
    std::shared_ptr<request> request_; ///< The last one.
    stacktrace last_;
};

} // namespace twat::mp::detail

#endif
