// SPDX-License-Identifier: BSL-1.0
#include "worker/task_memory.hpp"

#include <atomic>
#include <cstdint>
#include <new>

#include "os/data_limit.hpp"

namespace twat::mp::detail {
namespace {

struct limits
{
    data_limit memory;
    bool is_set = false;
    std::atomic<bool> holds{false}; // Threads of tasks allocate, too.
    std::atomic<std::uint64_t>* refused = nullptr;
};

limits the_limits;

void on_refused_memory()
{
    if (the_limits.holds)
        the_limits.refused->store(1, std::memory_order_relaxed);
    throw std::bad_alloc();
}

} // namespace

void task_memory::set_limit(std::size_t bytes, const shared_page& page) noexcept
{
    if (bytes == 0 || !the_limits.memory.prepare(bytes))
        return;
    the_limits.refused = &page.memory_refused();
    the_limits.is_set = true;
    if (!std::get_new_handler())
        std::set_new_handler(on_refused_memory);
}

bool task_memory::begin() noexcept
{
    if (!the_limits.is_set || the_limits.holds)
        return false;
    the_limits.refused->store(0, std::memory_order_relaxed);
    the_limits.memory.set();
    the_limits.holds = true;
    return true;
}

bool task_memory::end() noexcept
{
    if (!the_limits.is_set || !the_limits.holds)
        return false;
    the_limits.holds = false;
    the_limits.memory.take_back();
    return true;
}

} // namespace twat::mp::detail
