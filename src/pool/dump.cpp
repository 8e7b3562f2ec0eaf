// SPDX-License-Identifier: BSL-1.0
// What the workers do, for those who ask.
#include "pool/pool.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/pool_dump.hpp>

#include "function/text.hpp"
#include "os/job_thread.hpp"
#include "pool/dump.hpp"

namespace twat::mp::detail {

void name_functions(pool_dump& dump)
{
    for (dumped_worker& worker : dump.workers)
        for (dumped_task& task : worker.tasks)
            task.function = readable_types(task.function);
}

void take_stacks(const pool_dump& dump) noexcept
{
    try {
        for (const dumped_worker& worker : dump.workers)
            worker.stack.note();
    }
    catch (...) { // no memory: whoever prints it tries again
    }
}

void look_up(const pool_dump& dump) noexcept
{
    take_stacks(dump); // threads answer when they are looked at: before names are looked up, which takes long
    try {
        for (const dumped_worker& worker : dump.workers)
            worker.stack.frames();
    }
    catch (...) { // no memory: whoever prints it tries again
    }
}

void pool::dump(dump_handler handler)
{
    static constinit job_thread lookups("twat-mp:symbols");
    check_process();
    enter([handler = std::move(handler)](pool& p) mutable {
        const std::uint64_t number = p.waiters_.add_dump(std::move(handler));
        const auto found = std::make_shared<pool_dump>();
        found->when = std::chrono::system_clock::now();
        found->at = clock::now();
        if (!p.stopped_ && !p.released_)
            found->workers = p.workers_->dump();
        name_functions(*found);
        std::ranges::sort(found->workers, {}, &dumped_worker::index);
        const auto complete = [weak = p.weak_from_this(), number, found] {
            if (const auto self = weak.lock(); self && !self->gone_)
                self->complete_dump(number, std::move(*found));
        };
        const auto look = [found, link = p.link_, complete] {
            look_up(*found);
            link->post(complete);
        };
        if (found->workers.empty() || !lookups.post(look))
            p.link_->post(complete);
    });
}

void pool::complete_dump(std::uint64_t number, pool_dump found)
{
    dump_handler waiter = waiters_.take_dump(number);
    if (!waiter)
        return;
    std::move(waiter)(nullptr, std::move(found)); // which only posts
    settle();
}

/// The pool object is gone: nobody is to wait for what nobody will tell.
void pool::settle_dumps()
{
    if (released_)
        waiters_.fail_dumps(make_aborted);
}

} // namespace twat::mp::detail
