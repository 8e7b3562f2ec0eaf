// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_FAIR_QUEUE_HPP
#define TWAT_MP_SRC_ENGINE_FAIR_QUEUE_HPP

#include <boost/intrusive/set.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include "engine/codel.hpp"
#include "engine/run_queue.hpp"

namespace twat::mp::detail {

struct lane_tag;
using lane_hook =
    boost::intrusive::set_base_hook<boost::intrusive::tag<lane_tag>, boost::intrusive::optimize_size<true>>;

/// What waits of one tenant at one priority, in the order of its turns.
struct lane : lane_hook
{
    boost::intrusive::list<
        queued, boost::intrusive::base_hook<boost::intrusive::list_base_hook<boost::intrusive::tag<run_queue_tag>>>>
        line;
    /// Worker time in nanoseconds by weight, counted on from where the others were when it joined them.
    double had = 0;
    double owed = 0;        ///< What is to be added to that: its tasks took longer than was thought, or shorter.
    double served = 0;      ///< What was added last.
    bool held_back = false; ///< Gets no turn.
    codel delay;

    friend bool operator<(const lane& a, const lane& b) noexcept { return a.had < b.had; }
};

/** Those that wait, by priority; at one priority the tenants share the workers' time by weight.

    Deficit round robin (M. Shreedhar and G. Varghese, "Efficient Fair Queueing using Deficit Round Robin", SIGCOMM 1995) lets each tenant use up
    a quantum in its turn and charges what it really used. How long a task takes is known only afterwards, so a tenant can owe, and by much: it
    would be passed over in as many rounds as it takes to pay that off. Here nobody goes through those rounds. A tenant stands at the one in which it
    gets its next turn, in a tree, with a quantum as small as can be (as in start-time fair queueing: P. Goyal, H. Vin and H. Cheng, SIGCOMM
    1996). One that comes anew stands where the others are: it has saved up nothing, and what it owed it still owes.

    Everything takes constant time, or logarithmic in the number of tenants that wait. Nothing is owned and nothing allocated.

    @tparam T Derived from `queued`.
*/
template <class T>
class fair_queue
{
public:
    /// Whether nobody can get a turn.
    bool empty() const noexcept
    {
        return std::all_of(rings_.begin(), rings_.end(), [](const ring& r) { return r.lanes.empty(); });
    }

    /// Whose turn it is; null: nobody's of this priority.
    T* front(priority prio) noexcept
    {
        auto& lanes = at(prio).lanes;
        if (lanes.empty())
            return nullptr;
        lane* first = &*lanes.begin();
        // One that owes much lets others go first. (What is owed comes down to a lane at a time, and each is moved once.)
        while (first->owed > first->served && std::next(lanes.begin()) != lanes.end()) {
            move(*first, at(prio), 0);
            first = &*lanes.begin();
        }
        return &static_cast<T&>(first->line.front());
    }

    void push_back(T& element, lane& l) noexcept
    {
        l.line.push_back(element);
        join(l, at(element.prio));
    }

    void push_front(T& element, lane& l) noexcept
    {
        l.line.push_front(element);
        join(l, at(element.prio));
    }

    /// @pre It is in this lane.
    void remove(T& element, lane& l) noexcept
    {
        l.line.erase(l.line.iterator_to(element));
        if (l.line.empty())
            leave(l, at(element.prio));
    }

    /// The lane gets so much worker time, divided by its weight, from now on.
    void serve(lane& l, priority prio, double time) noexcept
    {
        ring& r = at(prio);
        r.now = std::max(r.now, l.had);
        l.served = time;
        move(l, r, time);
    }

    /// It had so much more than was thought; negative: less. Counts when it is served the next time, which saves a move.
    void charge(lane& l, double time) noexcept { l.owed += time; }

    /// Whether what waits there gets no turns.
    void hold_back(lane& l, priority prio, bool yes) noexcept
    {
        if (l.held_back == yes)
            return;
        l.held_back = yes;
        if (yes)
            leave(l, at(prio));
        else if (!l.line.empty())
            join(l, at(prio));
    }

private:
    struct ring
    {
        boost::intrusive::multiset<lane, boost::intrusive::base_hook<lane_hook>,
                                   boost::intrusive::constant_time_size<false>>
            lanes;
        double now = 0; // what the one had that was served last, when it was
    };

    ring& at(priority prio) noexcept { return rings_[static_cast<std::size_t>(prio)]; }

    void move(lane& l, ring& r, double time) noexcept
    {
        const double had = l.had + time + std::exchange(l.owed, 0);
        if (!l.is_linked()) {
            l.had = had;
            return;
        }
        const auto here = r.lanes.iterator_to(l);
        const auto next = std::next(here);
        if (here == r.lanes.begin() && next == r.lanes.end()) { // nobody is there beside it
            l.had = had;
            return;
        }
        r.lanes.erase(here);
        l.had = had;
        r.lanes.insert(r.lanes.upper_bound(l), l);
    }

    void join(lane& l, ring& r) noexcept
    {
        if (l.is_linked() || l.held_back)
            return;
        l.had = std::max(l.had + std::exchange(l.owed, 0), r.now);
        r.lanes.insert(r.lanes.upper_bound(l), l);
    }

    void leave(lane& l, ring& r) noexcept
    {
        if (l.is_linked())
            r.lanes.erase(r.lanes.iterator_to(l));
    }

    std::array<ring, 3> rings_;
};

} // namespace twat::mp::detail

#endif
