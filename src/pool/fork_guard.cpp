// SPDX-License-Identifier: BSL-1.0
#include "pool/fork_guard.hpp"

#include <pthread.h>

#include <atomic>

namespace twat::mp::detail {
namespace {

std::atomic<unsigned> forks{0}; // of this process and those before it; only children count

bool watch_forks()
{
    // No handler in the parent, none that allocates or locks in the child; not called for vfork.
    return pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); }) == 0;
}

} // namespace

fork_guard::fork_guard()
{
    static const bool watching = watch_forks();
    (void)watching;
    generation_ = forks.load(std::memory_order_relaxed);
}

bool fork_guard::forked() const noexcept { return forks.load(std::memory_order_relaxed) != generation_; }

} // namespace twat::mp::detail
