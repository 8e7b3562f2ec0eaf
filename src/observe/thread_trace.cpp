// SPDX-License-Identifier: BSL-1.0
#include "observe/thread_trace.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "observe/stack_source.hpp"
#include "os/thread_stack.hpp"

namespace twat::mp::detail {

stacktrace stack_of_thread(int thread)
{
    static constexpr std::chrono::milliseconds patience{20};
    return stacktrace(std::make_shared<const stack_source>([thread] {
        thread_stack found = ask_thread(thread, patience);
        return raw_stack{std::move(found.stack), found.why_not.empty() ? std::string() : "no stack: " + found.why_not};
    }));
}

} // namespace twat::mp::detail
