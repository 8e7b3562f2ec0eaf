// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OBSERVE_LOOP_JUDGE_HPP
#define TWAT_MP_SRC_OBSERVE_LOOP_JUDGE_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace twat::mp::detail {

/** Decides whether an event loop is stalled, from when it comes to the beats that it is sent. No I/O, no clock of its own. */
class loop_judge
{
public:
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::steady_clock::time_point;

    enum class verdict {
        wait,   ///< Until `due`.
        beat,   ///< A beat is to be sent.
        ask,    ///< It is late: does the thread run the loop at all? Then `asked`.
        report, ///< It is stalled. Told once.
    };

    loop_judge(duration limit, time_point now) noexcept : limit_(limit), due_(now) {}

    /// When to look next.
    time_point due() const noexcept { return due_; }

    /// @param beats How many the loop has come to.
    verdict look(time_point now, std::uint64_t beats) noexcept
    {
        // stopped, perhaps, with the whole program: nobody is judged by that
        const bool late_itself = now - due_ > limit_ / 2;
        due_ = now + std::max<duration>(limit_ / 2, std::chrono::milliseconds(1));
        if (beats == sent_) {
            ++sent_;
            sent_at_ = now;
            silent_ = false;
            return verdict::beat;
        }
        if (late_itself)
            sent_at_ = std::max(sent_at_, now - limit_ / 2);
        return silent_ || now - sent_at_ < limit_ ? verdict::wait : verdict::ask;
    }

    /// The answer to `ask`. @param runs Whether the thread runs the loop. If not, it is not asked again before the loop has come to the beat: it is
    /// no business of the program's outside of its loop to be interrupted by that.
    verdict asked(bool runs, std::uint64_t beats) noexcept
    {
        silent_ = true;
        return runs && beats != sent_ ? verdict::report : verdict::wait;
    }

    /// For how long at least it has been stalled.
    duration lasted(time_point now) const noexcept { return now - sent_at_; }

private:
    const duration limit_;
    time_point due_, sent_at_{};
    std::uint64_t sent_ = 0;
    bool silent_ = false; ///< It was asked since the last beat.
};

} // namespace twat::mp::detail

#endif
