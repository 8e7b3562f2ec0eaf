// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_SPIN_WAIT_HPP
#define TWAT_MP_SRC_OS_SPIN_WAIT_HPP

#include <twat/mp/options.hpp>

#include <sched.h>

#include <algorithm>
#include <chrono>

namespace twat::mp::detail {

/** Whether the next wait is to look again and again before it sleeps.

    Who spins in vain, or while others want the processor, leaves out the waits that follow: 1, then 3, 7 and so on up to 1023.
    Each spin that found something begins anew.
*/
class spin_habit
{
public:
    enum class outcome { found, in_vain, crowded };

    /// To be asked once for each wait.
    bool may_spin() noexcept
    {
        if (left_out_ == 0)
            return true;
        --left_out_;
        return false;
    }

    void note(outcome what) noexcept
    {
        switch (what) {
        case outcome::found: misses_ = 0; break;
        case outcome::in_vain: misses_ = std::min(misses_ + 1, most_misses); break;
        case outcome::crowded: misses_ = std::min(misses_ + 3, most_misses); break;
        }
        left_out_ = (1u << misses_) - 1;
    }

private:
    static constexpr unsigned most_misses = 10;
    unsigned misses_ = 0, left_out_ = 0;
};

/** Looks for something before a thread sleeps for it.

    Sleeping and being woken costs both sides microseconds; a thread that spins sees what comes at once, at the price of a processor.
    On a full machine that price is the work of another: `sched_yield` returns late there, and spinning stops by itself.
*/
class spin_wait
{
public:
    explicit spin_wait(duration longest = duration::zero()) noexcept : longest_(longest) {}

    bool is_wanted() const noexcept { return longest_ > duration::zero(); }

    /// @param look Whether what is waited for is there; may take it.
    /// @return Whether it was there. False: the caller sleeps.
    template <class Look>
    bool operator()(Look&& look)
    {
        if (!is_wanted() || !habit_.may_spin())
            return false;
        using clock = std::chrono::steady_clock;
        const auto begun = clock::now();
        for (auto now = begun; now - begun < longest_;) {
            for (int i = 0; i < looks_between_yields; ++i)
                if (look()) {
                    habit_.note(spin_habit::outcome::found);
                    return true;
                }
            const auto before = clock::now();
            ::sched_yield();
            now = clock::now();
            if (now - before > longest_yield) {
                habit_.note(spin_habit::outcome::crowded);
                return look();
            }
        }
        habit_.note(spin_habit::outcome::in_vain);
        return false;
    }

private:
    static constexpr int looks_between_yields = 8;
    /// A yield to nobody takes less than a microsecond; a switch to another thread and back takes longer than this.
    static constexpr duration longest_yield = std::chrono::microseconds(10);

    duration longest_;
    spin_habit habit_;
};

} // namespace twat::mp::detail

#endif
