// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BLOCKING_SUBMISSION_PACE_HPP
#define TWAT_MP_SRC_BLOCKING_SUBMISSION_PACE_HPP

#include <algorithm>
#include <chrono>

namespace twat::mp::detail {

/** Guesses whether a thread submits many calls before it waits for their futures.

    One that waits for each has a pause between two calls, unless its worker was quicker than itself. So what looks like many calls may be a
    wrong guess, which the next pause shows; each wrong guess makes the next one come later.
*/
class submission_pace
{
public:
    using clock = std::chrono::steady_clock;

    /// At the beginning of a submission. True: others probably follow before anybody waits.
    bool is_one_of_many(clock::time_point now) noexcept
    {
        if (now - last_ < pause) {
            in_a_row_ = std::min(in_a_row_ + 1, most);
        } else {
            if (in_a_row_ >= wanted_ && in_a_row_ < worth_it * wanted_)
                wanted_ = std::min(2 * wanted_, most);
            in_a_row_ = 0;
        }
        return in_a_row_ >= wanted_;
    }
    /// At its end.
    void ended(clock::time_point now) noexcept { last_ = now; }

private:
    static constexpr clock::duration pause = std::chrono::microseconds(1);
    static constexpr int worth_it = 4;
    static constexpr int most = 1 << 16;

    clock::time_point last_{};
    int in_a_row_ = 0;
    int wanted_ = 8;
};

} // namespace twat::mp::detail

#endif
