// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OBSERVE_STACK_SOURCE_HPP
#define TWAT_MP_SRC_OBSERVE_STACK_SOURCE_HPP

#include <twat/mp/stacktrace.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "os/captured_stack.hpp"

namespace twat::mp::detail {

/// What is known of a stack before names are looked up.
struct raw_stack
{
    std::shared_ptr<const captured_stack> stack; ///< Sound; null if there is none.
    std::string note;
    const char* how = "at"; ///< What the place is: "crashed at", "stuck at".
};

/** What a `stacktrace` shows: fetched and looked up when it is first asked for. */
class stack_source
{
public:
    /// @param fetch Called at most once, in the thread that asks; may wait.
    explicit stack_source(std::function<raw_stack()> fetch) : fetch_(std::move(fetch)) {}

    const std::vector<stacktrace::frame>& frames() const;
    const std::string& note() const;
    /// As `raw_stack::how`.
    const char* how() const;
    /// Whether the outer end is missing.
    bool is_cut() const;

private:
    const raw_stack& raw() const;

    mutable std::mutex mutex_;
    mutable std::function<raw_stack()> fetch_; ///< Empty once it was called.
    mutable raw_stack raw_;
    mutable bool looked_up_ = false;
    mutable std::vector<stacktrace::frame> frames_;
};

} // namespace twat::mp::detail

#endif
