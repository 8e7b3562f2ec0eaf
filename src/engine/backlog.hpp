// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_BACKLOG_HPP
#define TWAT_MP_SRC_ENGINE_BACKLOG_HPP

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "engine/state.hpp"

namespace twat::mp::detail {

/** What workers hold and have not begun, and which of it steps back for an operation that has come.

    An operation does not wait behind chunks of lower priority. Those of one priority take turns, but what workers hold already would go before a
    new one's first turn: where that would take long, one that holds much steps back, once, until one of its tasks has an outcome.
*/
class backlog
{
public:
    /// A worker was given the chunk.
    void add(const given_chunk& h) noexcept;
    /// Nobody waits for the chunk of this operation any more.
    void remove(const given_chunk& h, const operation_state& owner) noexcept;

    /// Whether any worker holds something that is less urgent.
    bool holds_below(priority prio) const noexcept;
    /// Whether any holds a part of more that is as urgent: only such steps back.
    bool holds_parts(priority prio) const noexcept { return parts_of_[static_cast<std::size_t>(prio)] != 0; }

    using workers = std::vector<std::unique_ptr<ready_worker>>;
    /// The worker that gives back what is less urgent; null if none can.
    static ready_worker* who_holds_below(priority prio, const workers& all);
    /// The worker that gives back what `steps_back` for this operation; null if it does not have to wait for long.
    static ready_worker* who_steps_back(const operation_state& op, const workers& all, time_point now);
    static bool steps_back(const operation_state& op, const given_chunk& held);

    // An operation that is alone is handed out in larger parts than it would be beside others, before anybody knows how long they take.
    void note_alone(operation_state& op) noexcept { alone_ = &op; }
    /// Another one has come. Returns that operation, if there is one.
    operation_state* no_longer_alone() noexcept { return std::exchange(alone_, nullptr); }
    /// The operation is over.
    void forget(const operation_state& op) noexcept
    {
        if (alone_ == &op)
            alone_ = nullptr;
    }

private:
    std::array<std::size_t, 3> held_of_{};  // chunks in workers whose operation has this priority
    std::array<std::size_t, 3> parts_of_{}; // and those of them that are a part of more
    operation_state* alone_ = nullptr;
};

} // namespace twat::mp::detail

#endif
