// SPDX-License-Identifier: BSL-1.0
#include "process/worker_stacks.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "observe/stack_source.hpp"
#include "os/futex.hpp"
#include "os/process_state.hpp"
#include "process/warden.hpp"

namespace twat::mp::detail {
namespace {

/// What another process wrote is copied before it is looked at.
std::unique_ptr<captured_stack> copy_of(const captured_stack& written)
{
    auto copy = std::make_unique<captured_stack>(written);
    copy->make_sound();
    return copy;
}

/// "signal 11 (Segmentation fault) at address 0x0, in thread 4711"
std::string describe_crash(int signal, int code, std::uint64_t address, std::uint32_t thread)
{
    std::string text = "signal " + std::to_string(signal);
    if (const char* name = ::sigdescr_np(signal))
        text += std::string(" (") + name + ')';
    if (code > 0 && signal != SIGABRT) { // the kernel's own, and not somebody's kill
        char number[32];
        std::snprintf(number, sizeof number, "0x%llx", static_cast<unsigned long long>(address));
        text += std::string(" at address ") + number;
    }
    return text + ", in thread " + std::to_string(thread);
}

stacktrace make_crash(std::shared_ptr<const captured_stack> stack, std::string note)
{
    return stacktrace(std::make_shared<const stack_source>([stack = std::move(stack), note = std::move(note)] {
        return raw_stack{stack, note, "crashed at"};
    }));
}

} // namespace

/// One question. The strand and whoever looks at the stack meet here.
struct worker_stacks::request
{
    std::shared_ptr<const worker_stacks> stacks; ///< Keeps the memory mapped. Null once this is over.
    std::uint32_t number = 0;
    time_point asked_at{};
    int pid = 0;
    std::string note;
    const char* how = "at";

    std::mutex mutex;
    bool over = false; ///< There is an answer, or there will be none.
    std::shared_ptr<const captured_stack> answer;

    /// @pre Not over.
    bool has_answer() const noexcept { return stacks->area_->answered.load(std::memory_order_acquire) == number; }

    /// Takes the answer, if it is there. With the mutex locked.
    void take()
    {
        if (over || !has_answer())
            return;
        answer = copy_of(stacks->area_->answer);
        over = true;
        stacks.reset();
    }

    /// There is none. With the mutex locked.
    void give_up(const std::string& why)
    {
        take();
        if (std::exchange(over, true))
            return;
        stacks.reset();
        const std::string state = describe_process_state(pid);
        note += (note.empty() ? "" : "; ") + (state.empty() ? "no stack: " + why : "no stack: the worker " + state);
    }

    raw_stack wait()
    {
        for (;;) {
            std::shared_ptr<const worker_stacks> from;
            {
                std::lock_guard lock(mutex);
                const time_point now = clock::now();
                take();
                if (!over && now >= asked_at + patience)
                    give_up("it did not answer in time");
                if (over)
                    return {answer, note, how};
                from = stacks;
            }
            // Woken by the answer. A request that is given up meanwhile is noticed a little later.
            const std::uint32_t before = from->area_->answered.load(std::memory_order_acquire);
            if (before != number)
                wait_for_change(from->area_->answered, before,
                                std::min<duration>(asked_at + patience - clock::now(), std::chrono::milliseconds(2)));
        }
    }
};

stacktrace worker_stacks::crash(int signal) const
{
    if (!area_ || signal == 0 || area_->crashed.load(std::memory_order_acquire) != static_cast<std::uint32_t>(signal))
        return {};
    std::unique_ptr<captured_stack> stack = copy_of(area_->crash);
    std::string note = describe_crash(signal, area_->crash_code, area_->crash_address, stack->thread);
    return make_crash(std::move(stack), std::move(note));
}

stacktrace worker_stacks::ask(child& process, std::string note, const char* how)
{
    if (!area_)
        return {};
    const time_point now = clock::now();
    const std::uint32_t signal = area_->signal.load(std::memory_order_acquire);
    // nothing that it may not want from us
    if (signal < static_cast<std::uint32_t>(SIGRTMIN) || signal > static_cast<std::uint32_t>(SIGRTMAX))
        return {};
    if (time_to_answer() > duration::zero())
        return last_;
    settle();
    auto asked = std::make_shared<request>();
    asked->stacks = shared_from_this();
    asked->number = area_->asked.load(std::memory_order_relaxed) + 1;
    asked->asked_at = now;
    asked->pid = static_cast<int>(process.pid());
    asked->note = std::move(note);
    asked->how = how;
    stacktrace stack(std::make_shared<const stack_source>([asked] { return asked->wait(); }));
    area_->asked.store(asked->number, std::memory_order_release);
    if (!process.signal(static_cast<int>(signal)))
        return {};
    request_ = std::move(asked);
    return last_ = std::move(stack);
}

duration worker_stacks::time_to_answer() const noexcept
{
    if (!request_)
        return duration::zero();
    std::lock_guard lock(request_->mutex);
    if (request_->over || request_->has_answer())
        return duration::zero();
    return std::max(duration::zero(), duration(request_->asked_at + patience - clock::now()));
}

void worker_stacks::settle() noexcept
{
    if (!request_)
        return;
    try {
        std::lock_guard lock(request_->mutex);
        request_->give_up("the worker ended before it answered");
    }
    catch (...) { // no memory: whoever looks finds that there is no answer
        std::lock_guard lock(request_->mutex);
        request_->over = true;
        request_->stacks.reset();
    }
    request_.reset();
}

} // namespace twat::mp::detail
