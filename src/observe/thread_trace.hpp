// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OBSERVE_THREAD_TRACE_HPP
#define TWAT_MP_SRC_OBSERVE_THREAD_TRACE_HPP

#include <twat/mp/stacktrace.hpp>

namespace twat::mp::detail {

/// What a thread of this process does, asked for when it is first looked at: the thread's signal is answered at once, or not at all.
/// @param thread Its number, as `gettid` has it. May be the one that looks.
stacktrace stack_of_thread(int thread);

} // namespace twat::mp::detail

#endif
