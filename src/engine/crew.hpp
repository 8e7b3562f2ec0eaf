// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_CREW_HPP
#define TWAT_MP_SRC_ENGINE_CREW_HPP

#include <algorithm>
#include <cstddef>
#include <limits>
#include <unordered_map>
#include <vector>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** The workers that a roster knows, and how far each of them is in its life. Counts those that are ready, and knows when the next start is late. */
class crew
{
public:
    static constexpr std::size_t no_node = std::numeric_limits<std::size_t>::max();

    enum class phase {
        starting, ///< `late` says when it should be ready.
        stuck,    ///< It was not, and goes on: it may be ready yet.
        ready,
        ending
    };

    struct member
    {
        std::size_t node = no_node;
        time_point launched{}, due = time_point::max();
        bool forgiven = false; ///< It was late once, or nobody looked.

        phase at() const noexcept { return at_; }

    private:
        friend class crew;
        phase at_ = phase::starting;
    };

    /// A worker is launched, and is to be ready at `due`. Returns its number.
    worker_id launch(std::size_t node, time_point now, time_point due)
    {
        const worker_id id = last_id_ + 1;
        join(id, node, now);
        start(id, due);
        return id;
    }
    /// A worker has come by itself.
    member& join(worker_id id, std::size_t node, time_point now)
    {
        last_id_ = std::max(last_id_, id);
        member& added = members_[id];
        added.node = node;
        added.launched = now;
        return added;
    }
    /// It is waited for, perhaps once more.
    void start(worker_id id, time_point due)
    {
        member& m = members_.at(id);
        m.at_ = phase::starting;
        m.due = due;
        starting_.push_back(id);
    }
    void become(worker_id id, member& m, phase next) noexcept
    {
        stop_waiting(id);
        ready_ += (next == phase::ready) - (m.at_ == phase::ready);
        m.at_ = next;
    }
    /// Nobody waits for it to be ready any more, whatever becomes of it.
    void stop_waiting(worker_id id) noexcept { std::erase(starting_, id); }
    void remove(worker_id id) noexcept
    {
        if (member* const m = find(id)) {
            become(id, *m, phase::ending);
            members_.erase(id);
        }
    }

    /// Null: nobody knows it.
    member* find(worker_id id) noexcept
    {
        const auto found = members_.find(id);
        return found == members_.end() ? nullptr : &found->second;
    }
    const member* find(worker_id id) const noexcept { return const_cast<crew*>(this)->find(id); }
    auto begin() noexcept { return members_.begin(); }
    auto end() noexcept { return members_.end(); }

    std::size_t ready() const noexcept { return ready_; }
    const std::vector<worker_id>& starting() const noexcept { return starting_; }
    /// When the next one of them is late.
    time_point next_due() const noexcept
    {
        time_point next = time_point::max();
        for (const worker_id id : starting_)
            next = std::min(next, members_.at(id).due);
        return next;
    }

private:
    std::unordered_map<worker_id, member> members_;
    std::vector<worker_id> starting_; // those whose start is waited for
    worker_id last_id_ = 0;
    std::size_t ready_ = 0;
};

} // namespace twat::mp::detail

#endif
