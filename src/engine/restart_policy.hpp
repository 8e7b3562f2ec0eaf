// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_RESTART_POLICY_HPP
#define TWAT_MP_SRC_ENGINE_RESTART_POLICY_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>

#include <twat/mp/options.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** When a worker that died is replaced, and when the pool is given up.

    Deaths are counted in a sliding window. Up to the limit a replacement starts at once; a worker that never became ready is
    replaced after 10 ms, and while starts go on to fail after 0.1 s, 0.2 s ... 5 s, give or take a quarter, so that a program that cannot
    start does not burn the machine. One death more than the limit within the window breaks the pool; so do starts that have failed for
    longer than the window, and than 10 s, while no worker takes tasks.
*/
class restart_policy
{
public:
    restart_policy(restart_limit limit, std::size_t nodes, std::uint32_t seed = 1);

    /// A worker died without being told to. Returns when its replacement may start; nothing: the pool is broken.
    /// @param was_ready Whether it had finished its initializer. @param others_ready Whether another one takes tasks.
    std::optional<time_point> on_death(time_point now, bool was_ready, bool others_ready = false);

    /// A worker finished its initializer: starting works.
    void on_ready() noexcept { failed_starts_ = 0; }

    bool broken() const noexcept { return broken_; }
    /// What broke it, for the user. @pre `broken()`
    std::string why_broken() const;
    /// Whether a worker has become ready since the last failed start.
    bool starts_fail() const noexcept { return failed_starts_ != 0; }
    std::size_t limit() const noexcept { return count_; }

private:
    std::size_t count_;
    duration window_;
    std::deque<time_point> deaths_;
    std::size_t failed_starts_ = 0; // in a row
    time_point failing_since_{};
    std::minstd_rand random_;
    bool broken_ = false;
};

} // namespace twat::mp::detail

#endif
