// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_THREAD_REPORT_BAG_HPP
#define TWAT_MP_SRC_THREAD_REPORT_BAG_HPP

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "thread/thread_worker.hpp"

namespace twat::mp::detail {

/// Reports of several worker threads that go to the strand in one handler.
using report_bag = std::vector<std::pair<worker_id, chunk_report>>;

/** Lets what threads report, while a handler with reports waits for its turn on the strand, travel in that handler.

    The bag belongs to the handler: if that is destroyed uncalled, so are the reports.
*/
class report_bags
{
public:
    /// Any thread. `send(bag)` posts a handler that takes the bag; it is called under the mutex, so that the reports of one thread
    /// keep their order, and may run nothing at once.
    template <class Send>
    void add(worker_id worker, chunk_report&& report, Send send)
    {
        std::shared_ptr<report_bag> open; // destroyed after the mutex is released: it may be the last that holds a bag
        std::lock_guard lock(mutex_);
        open = open_.lock();
        if (open && open->size() < most)
            return open->emplace_back(worker, std::move(report)), void();
        open = std::make_shared<report_bag>();
        open->emplace_back(worker, std::move(report));
        open_ = open;
        send(open);
    }

    /// Strand: the bag is closed, and nothing comes into it any more.
    report_bag take(const std::shared_ptr<report_bag>& bag)
    {
        std::lock_guard lock(mutex_);
        if (open_.lock() == bag)
            open_.reset();
        return std::move(*bag);
    }

private:
    // A turn of the strand on the user's loop is to be over soon.
    static constexpr std::size_t most = 64;

    std::mutex mutex_;
    std::weak_ptr<report_bag> open_; ///< Its handler is posted.
};

} // namespace twat::mp::detail

#endif
