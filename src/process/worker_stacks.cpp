// SPDX-License-Identifier: BSL-1.0
#include "process/worker_stacks.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "observe/stack_source.hpp"

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

stacktrace make_stacktrace(std::shared_ptr<const captured_stack> stack, std::string note)
{
    return stacktrace(std::make_shared<const stack_source>([stack = std::move(stack), note = std::move(note)] {
        return raw_stack{stack, note};
    }));
}

} // namespace

stacktrace worker_stacks::crash(int signal) const
{
    if (!area_ || signal == 0 || area_->crashed.load(std::memory_order_acquire) != static_cast<std::uint32_t>(signal))
        return {};
    std::unique_ptr<captured_stack> stack = copy_of(area_->crash);
    std::string note = describe_crash(signal, area_->crash_code, area_->crash_address, stack->thread);
    return make_stacktrace(std::move(stack), std::move(note));
}

} // namespace twat::mp::detail
