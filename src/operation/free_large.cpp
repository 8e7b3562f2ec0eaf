// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/codec/byte_buffer.hpp>

#include <atomic>
#include <csignal>
#include <thread>

#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "start/marker.hpp"

namespace twat::mp::detail {
namespace {

/// Takes some 3 ms. The C library keeps smaller ones for the next time.
constexpr std::size_t slow_to_free = std::size_t(32) << 20;

/// Lies in the block that waits to be freed: nothing has to be allocated for that.
struct waiting_block
{
    waiting_block* next;
};

// No lock: in a copy of the process that was made by fork, it might be held by a thread that is not there.
std::atomic<waiting_block*> waiting{nullptr};
std::atomic<pid_t> freeing{0}; ///< The process whose thread frees them, if there is one.

void free_all() noexcept
{
    for (waiting_block* block = waiting.exchange(nullptr); block;) {
        waiting_block* const next = block->next;
        std::free(block);
        block = next;
    }
}

/// Whether this thread, which nobody joins, is the one that frees.
bool become_freeing() noexcept
{
    const pid_t own = ::getpid();
    pid_t before = freeing.load();
    return before != own && freeing.compare_exchange_strong(before, own);
}

void run() noexcept
{
    ::pthread_setname_np(::pthread_self(), "twat-mp:free");
    do {
        free_all();
        freeing.store(0);
        // One that came in between found this thread at work.
    } while (waiting.load() && become_freeing());
}

} // namespace

void free_large(void* block) noexcept
{
    if (get_worker_state() == worker_state::entered || ::malloc_usable_size(block) < slow_to_free)
        return std::free(block);
    auto* const added = ::new (block) waiting_block{waiting.load()};
    while (!waiting.compare_exchange_weak(added->next, added)) {
    }
    if (!become_freeing())
        return;
    // No signal that is sent to the process may be handled on a thread that the application does not know of.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread(run).detach();
    }
    catch (...) {
        free_all();
        freeing.store(0);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace twat::mp::detail
