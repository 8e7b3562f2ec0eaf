// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_THREAD_LIFE_HPP
#define TWAT_MP_SRC_START_THREAD_LIFE_HPP

#include <atomic>

namespace twat::mp::detail {

/** What a worker thread does, for who waits for its end on the strand of its pool.

    A thread that waits in a nested call needs that strand: waiting for it there would never end.
*/
class thread_life
{
public:
    /// The thread itself.
    void over() noexcept { set(state::over); }
    bool is_over() const noexcept { return state_ == state::over; }

    /// Any thread: returns when the thread is over (true), or waits in a nested call.
    bool wait_for_end_or_nested_call() const noexcept
    {
        state_.wait(state::runs);
        return is_over();
    }

    /// As long as it lives, the thread waits in a nested call. One inside another changes nothing.
    class nested_call
    {
    public:
        explicit nested_call(thread_life* life) noexcept : life_(life && life->state_ == state::runs ? life : nullptr)
        {
            if (life_)
                life_->set(state::waits);
        }
        nested_call(const nested_call&) = delete;
        nested_call& operator=(const nested_call&) = delete;
        ~nested_call()
        {
            if (life_)
                life_->set(state::runs);
        }

    private:
        thread_life* const life_;
    };

private:
    enum class state { runs, waits, over };

    void set(state now) noexcept
    {
        state_ = now;
        state_.notify_all();
    }

    std::atomic<state> state_ = state::runs;
};

} // namespace twat::mp::detail

#endif
