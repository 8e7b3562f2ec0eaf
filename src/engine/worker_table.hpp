// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_WORKER_TABLE_HPP
#define TWAT_MP_SRC_ENGINE_WORKER_TABLE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/ledger.hpp"
#include "engine/state.hpp"

namespace twat::mp::detail {

/** The workers that are ready or on their way out, in the order in which they came, and what they add up to.

    There may be hundreds of them: whoever changes one has it counted anew (`recount`), and nobody goes over all to know how many do what.
*/
class worker_table
{
public:
    using list = std::vector<std::unique_ptr<ready_worker>>;

    /// Null: nobody knows it.
    ready_worker* find(worker_id id) const noexcept
    {
        const auto found = by_id_.find(id);
        return found == by_id_.end() ? nullptr : found->second;
    }
    ready_worker& add(worker_id id)
    {
        auto state = std::make_unique<ready_worker>();
        state->id = id;
        state->order = ++last_order_;
        ready_worker& added = *state;
        by_id_.emplace(id, &added);
        all_.push_back(std::move(state));
        recount(added);
        return added;
    }
    /// From now on the worker runs tasks of one operation only, and does not count as one of the pool's.
    void make_guest(ready_worker& worker, operation_state* only) noexcept
    {
        worker.guest = true;
        worker.only = only;
        ++guests_;
        recount(worker);
    }
    /// It is gone. It counts no more, and what it holds cannot be taken back.
    std::unique_ptr<ready_worker> take(ready_worker& worker) noexcept
    {
        const auto it = std::find_if(all_.begin(), all_.end(), [&](auto& w) { return w.get() == &worker; });
        std::unique_ptr<ready_worker> taken = std::move(*it);
        all_.erase(it);
        by_id_.erase(taken->id);
        guests_ -= taken->guest;
        taken->dying = true;
        counts_.update(taken->counted, {});
        return taken;
    }
    void clear() noexcept
    {
        by_id_.clear();
        all_.clear();
        counts_.clear();
        guests_ = 0;
    }

    /// Something of the worker has changed that counts.
    void recount(ready_worker& worker) noexcept { counts_.update(worker.counted, worker.entry()); }
    const ledger& counts() const noexcept { return counts_; }
    bool any_guest() const noexcept { return guests_ != 0; }
    /// The pool's own.
    std::size_t size() const noexcept { return all_.size() - guests_; }

    const list& all() const noexcept { return all_; }
    auto begin() const noexcept { return all_.begin(); }
    auto end() const noexcept { return all_.end(); }

private:
    list all_;
    std::unordered_map<worker_id, ready_worker*> by_id_;
    ledger counts_;
    std::size_t guests_ = 0;
    std::uint64_t last_order_ = 0;
};

} // namespace twat::mp::detail

#endif
