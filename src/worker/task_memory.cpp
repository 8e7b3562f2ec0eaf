// SPDX-License-Identifier: BSL-1.0
#include "worker/task_memory.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>

#include <sys/resource.h>

namespace twat::mp::detail {
namespace {

struct state
{
    ::rlimit usual{}, limited{};
    bool is_set = false;
    std::atomic<bool> holds{false}; // Threads of tasks allocate, too.
    std::atomic<std::uint64_t>* refused = nullptr;
};

state the_state;

void on_refused_memory()
{
    if (the_state.holds)
        the_state.refused->store(1, std::memory_order_relaxed);
    throw std::bad_alloc();
}

} // namespace

void task_memory::set_limit(std::size_t bytes, const shared_page& page) noexcept
{
    if (bytes == 0 || ::getrlimit(RLIMIT_DATA, &the_state.usual) != 0)
        return;
    the_state.limited = the_state.usual;
    the_state.limited.rlim_cur = std::min<rlim_t>(bytes, the_state.usual.rlim_cur);
    the_state.refused = &page.memory_refused();
    the_state.is_set = true;
    if (!std::get_new_handler())
        std::set_new_handler(on_refused_memory);
}

bool task_memory::begin() noexcept
{
    if (!the_state.is_set || the_state.holds)
        return false;
    the_state.refused->store(0, std::memory_order_relaxed);
    ::setrlimit(RLIMIT_DATA, &the_state.limited);
    the_state.holds = true;
    return true;
}

bool task_memory::end() noexcept
{
    if (!the_state.is_set || !the_state.holds)
        return false;
    the_state.holds = false;
    ::setrlimit(RLIMIT_DATA, &the_state.usual);
    return true;
}

} // namespace twat::mp::detail
