// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_START_TURNS_HPP
#define TWAT_MP_SRC_ENGINE_START_TURNS_HPP

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** Which nodes may start a worker now.

    A start takes CPU time: the program is loaded, globals are made, the initializer runs. When many start at once, each takes as many times
    longer, and all exceed the time that one is given. So as many start at once as there are CPUs, in the order of their requests.

    A start that waits for something instead of using a CPU (a connection in its initializer, say) gives up its turn: 64 workers that each wait
    a second for a database are there after little more than a second.
*/
class start_turns
{
public:
    /// @param most Starts at once, at least 1.
    start_turns(std::size_t most, std::size_t nodes) : most_(most), queued_(nodes) {}

    /// There are so many nodes from now on, or as many as before if that is more.
    void resize(std::size_t nodes) { queued_.resize(std::max(nodes, queued_.size())); }

    /// The node wants a worker. Once is enough.
    void want(std::size_t node);
    bool wants(std::size_t node) const noexcept { return queued_[node]; }
    /// Nobody wants anything any more. Starts that are under way keep their turns.
    void clear() noexcept;
    /// Nor this one.
    void withdraw(std::size_t node) noexcept;
    bool waiting() const noexcept { return !queue_.empty(); }

    /// Takes the next node out of the queue, if there is a turn for it.
    std::optional<std::size_t> next();

    /// A worker that got its turn from `next` starts.
    void begun(worker_id worker, time_point now) { under_way_.push_back({worker, now, {}}); }
    /// It is ready, or gone.
    void over(worker_id worker) noexcept;

    /// When `look` wants to be called; never, while nobody waits for a turn.
    time_point next_look() const noexcept;
    /// Gives up the turns of starts that use no CPU. @param used How long the worker has been on a CPU or ready to be; nothing: it does not
    /// sleep, or nobody knows.
    template <class Used>
    void look(time_point now, Used&& used)
    {
        std::erase_if(under_way_, [&](start& s) {
            if (now - s.looked_at < look_pause)
                return false;
            const std::optional<duration> total = used(s.worker);
            const bool waits = total && s.used && *total - *s.used < (now - s.looked_at) / 2;
            s.used = total;
            s.looked_at = now;
            return waits;
        });
    }

private:
    static constexpr duration look_pause = std::chrono::milliseconds(20);

    struct start
    {
        worker_id worker;
        time_point looked_at;
        std::optional<duration> used; ///< Until then.
    };

    std::size_t most_;
    std::deque<std::size_t> queue_;
    std::vector<bool> queued_;
    std::vector<start> under_way_; ///< Those that hold a turn.
};

} // namespace twat::mp::detail

#endif
