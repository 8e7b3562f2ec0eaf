// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_RETRIES_HPP
#define TWAT_MP_SRC_ENGINE_RETRIES_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

#include "engine/retry_plan.hpp"
#include "engine/state.hpp"
#include "engine/watch.hpp"

namespace twat::mp::detail {

/** Decides when a task that threw is run again (`call_options::retry`), and knows those that wait for it. */
class retries
{
public:
    explicit retries(std::uint32_t seed) : random_(seed) {}

    /// When the task has its next attempt after `failures` that threw; nothing: it has none.
    std::optional<time_point> next_attempt(const operation_state& op, std::size_t failures, time_point now)
    {
        if (op.stopping)
            return std::nullopt;
        return detail::next_attempt(op.traits().options.retry, failures, now, op.deadline,
                                    std::uniform_real_distribution<>(0, 1)(random_));
    }

    /// @param due Later than now; a task whose time has come does not wait.
    void add(delayed_chunk& waits, time_point due) noexcept { waiting_.set(waits.due, due); }
    /// The next one whose time has come; null: none.
    delayed_chunk* take_due(time_point now) noexcept { return waiting_.take_due(now); }
    time_point next() const noexcept { return waiting_.next(); }

private:
    watch<delayed_chunk> waiting_;
    std::minstd_rand random_;
};

} // namespace twat::mp::detail

#endif
