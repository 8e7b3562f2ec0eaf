// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_NODE_TABLE_HPP
#define TWAT_MP_SRC_ENGINE_NODE_TABLE_HPP

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** The nodes of a pool, numbered from 0: which of them are wanted, who works for each, and which pause before their next start.

    A pool may have had more nodes than it has. Those that are gone are not wanted, and are kept as long as workers may still leave them.
*/
class node_table
{
public:
    struct node
    {
        worker_id current = 0; ///< The latest that was launched for it, unless it ends or is gone; 0: none.
        bool wanted = false;   ///< Changed by `set_wanted`.
        bool had_one = false;  ///< Since it is wanted.
        time_point start_at = time_point::max();       ///< Changed by `pause`.
        std::function<std::exception_ptr()> failure{}; ///< Of its last start.
    };

    explicit node_table(std::size_t count) : count_(count), nodes_(count) {}

    std::size_t size() const noexcept { return count_; }
    /// From here on are those that are gone.
    std::size_t ever() const noexcept { return nodes_.size(); }
    /// Those that are gone by this are still to be made unwanted.
    void resize(std::size_t count)
    {
        count_ = count;
        nodes_.resize(std::max(nodes_.size(), count));
    }

    node& operator[](std::size_t n) noexcept { return nodes_[n]; }
    const node& operator[](std::size_t n) const noexcept { return nodes_[n]; }
    auto begin() const noexcept { return nodes_.begin(); }
    auto end() const noexcept { return nodes_.end(); }

    std::size_t wanted() const noexcept { return wanted_; }
    /// Whether that is a change.
    bool set_wanted(std::size_t n, bool wanted) noexcept
    {
        node& it = nodes_[n];
        if (it.wanted == wanted)
            return false;
        it.wanted = wanted;
        it.had_one = false;
        it.failure = nullptr;
        wanted ? ++wanted_ : --wanted_;
        return true;
    }

    /// The next start is not before this; `time_point::max()`: it waits for no moment.
    void pause(std::size_t n, time_point until)
    {
        if (nodes_[n].start_at != time_point::max())
            std::erase(paused_, n);
        nodes_[n].start_at = until;
        if (until != time_point::max())
            paused_.push_back(n);
    }
    void pause_none() noexcept
    {
        for (const std::size_t n : std::exchange(paused_, {}))
            nodes_[n].start_at = time_point::max();
    }
    time_point next_start() const noexcept
    {
        time_point next = time_point::max();
        for (const std::size_t n : paused_)
            next = std::min(next, nodes_[n].start_at);
        return next;
    }
    /// Those whose pause is over.
    std::vector<std::size_t> due(time_point now) const
    {
        std::vector<std::size_t> over;
        for (const std::size_t n : paused_)
            if (nodes_[n].start_at <= now)
                over.push_back(n);
        return over;
    }

private:
    std::size_t count_;
    std::vector<node> nodes_;
    std::vector<std::size_t> paused_; // those with a `start_at`
    std::size_t wanted_ = 0;
};

} // namespace twat::mp::detail

#endif
