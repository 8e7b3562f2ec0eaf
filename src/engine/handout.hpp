// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_HANDOUT_HPP
#define TWAT_MP_SRC_ENGINE_HANDOUT_HPP

#include <array>
#include <cstddef>

#include "backend/capabilities.hpp"
#include "engine/state.hpp"
#include "engine/takers.hpp"

namespace twat::mp::detail {

/** Decides which worker takes the next chunk: of those that can take one, the worker that holds the fewest.

    What has happened to a worker may let it take a chunk, or keep it from that. So it is *considered*, and finds its place among the takers
    when a chunk is to be handed out.
*/
class handout
{
public:
    struct bounds
    {
        std::size_t child_concurrency = 16;  ///< Coroutines in one worker.
        std::size_t max_tasks_per_child = 0; ///< 0: as many as come.
    };

    /// @param can Outlives this.
    handout(const capabilities& can, const bounds& b) noexcept : can_(can), bounds_(b) {}

    /// Tasks that the worker may still be given in its life.
    std::size_t allowance(const ready_worker& worker) const noexcept;
    bool can_take(const ready_worker& worker) const;

    /// Something has happened to the worker that may let it take a chunk.
    void consider(ready_worker& worker) noexcept
    {
        if (!worker.list_hook<considered_tag>::is_linked())
            considered_.push_back(worker);
    }
    /// Puts the worker where it belongs now, if anywhere.
    void place(ready_worker& worker);
    void place_considered()
    {
        while (!considered_.empty())
            place(considered_.front());
    }
    void remove(ready_worker& worker) noexcept;
    void clear() noexcept;

    // Those of one kind, the one with the least first. Some may not be able to take a chunk any more.
    ready_worker* first(takers::kind k) noexcept { return worker_of(takers_.first(k)); }
    ready_worker* after(takers::kind k, const ready_worker& previous) noexcept
    {
        return worker_of(takers_.after(k, previous));
    }
    /// One that could run a second copy of the chunk's task without keeping another task waiting; null: none.
    ready_worker* for_copy(const given_chunk& of);

    /** Workers take turns, guests apart: nobody gets a second chunk while another one is idle. What there is nothing of for one, there is for no
        other that holds the same kind of task.
    */
    class round
    {
    public:
        explicit round(handout& h) noexcept : handout_(h) {}

        /// Null: nobody is left that could take something.
        ready_worker* next() noexcept;
        /// The worker that `next` returned was given a chunk, or there was none for it.
        void served(bool given);

    private:
        handout& handout_;
        std::array<bool, takers::kinds> none_left_{};
        taker* now_ = nullptr;
        takers::kind kind_ = takers::idle;
    };

private:
    static ready_worker* worker_of(taker* t) noexcept { return static_cast<ready_worker*>(t); }

    const capabilities& can_;
    const bounds bounds_;
    takers takers_; // those that can take a chunk, and some that cannot any more
    hooked_list<ready_worker, considered_tag> considered_;
};

} // namespace twat::mp::detail

#endif
