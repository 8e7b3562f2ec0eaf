// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_IDLE_SEARCH_HPP
#define TWAT_MP_SRC_ENGINE_IDLE_SEARCH_HPP

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "engine/state.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

/** Decides when it is worth looking for work for idle workers, and which worker gives up what it has not begun.

    A look goes over all workers, so there is none before it can find something: after a chunk was handed out that leaves something to take,
    or when a task has run for so long that what stands with it will not be begun soon.
*/
class idle_search
{
public:
    /// @param chunk_aim As in `capabilities`: what is through in a small part of it is not worth taking.
    explicit idle_search(duration chunk_aim) noexcept : chunk_aim_(chunk_aim) {}

    // What there may be to take.
    /// A look may find something that the last one has not.
    void note_change() noexcept { changed_ = true; }
    /// A worker was given this chunk, and holds it already. @param now A function: a clock is not free, and mostly not needed.
    template <class Now>
    void note_given(const given_chunk& given, Now&& now)
    {
        if (given.holder->held.size() > 1 || given.keep > 1)
            changed_ = true;
        else if (given.owner->next_index > 1)
            look_at_ = std::min(look_at_, saturating_add(now(), surely_begun));
    }
    /// The worker was asked for what it has not begun of a chunk; an idle one waits for the answer.
    void await(given_chunk& from) noexcept { from.awaited.count(awaited_); }
    /// The worker has answered. Returns whether an idle one has waited for it.
    bool answered(given_chunk& from, std::size_t taken) noexcept;

    // A round of looks.
    void begin_round() noexcept { next_ = time_point::max(); }
    /// Whether idle workers are to be served in this round. If so, `end_looks` is to be called behind the last look.
    template <class Now>
    bool begin_looks(Now&& now)
    {
        if (!std::exchange(changed_, false) && (look_at_ == time_point::max() || look_at_ > now())) {
            next_ = std::min(next_, look_at_);
            return false;
        }
        look_at_ = time_point::max();
        return true;
    }
    /// Idle workers that need nothing, as what they get is on its way.
    std::size_t awaited() const noexcept { return awaited_; }
    void end_looks() noexcept { look_at_ = std::min(look_at_, next_); }

    struct found
    {
        ready_worker* victim = nullptr; ///< Null: there is nothing for the idle worker now.
        given_chunk* from = nullptr;
    };
    /// Looks for the chunk that would be begun last. @param idle A guest gets only tasks of its own operation.
    found look_for(const ready_worker& idle, const std::vector<std::unique_ptr<ready_worker>>& workers, time_point now);

    /// When the next round is due by itself; `time_point::max()`: not before something happens.
    time_point next() const noexcept { return next_; }

private:
    const duration chunk_aim_;
    std::size_t awaited_ = 0;                // chunks whose workers were asked for what an idle one may get
    bool changed_ = false;                   // since an idle worker looked in vain
    time_point look_at_ = time_point::max(); // and when it is worth a look again even if nothing has changed
    time_point next_ = time_point::max();
};

} // namespace twat::mp::detail

#endif
