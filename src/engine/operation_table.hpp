// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_OPERATION_TABLE_HPP
#define TWAT_MP_SRC_ENGINE_OPERATION_TABLE_HPP

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "engine/state.hpp"

namespace twat::mp::detail {

/** The operations that are not over, in the order of their initiation; which of them are to be looked at, when the first one is out of
    time, and how many rest; and the number of those that are over. Owns them.

    An operation knows its own place, as it is in one engine at a time: a million calls may wait, and a hash table would cost each event of
    one of them two reads of memory that no cache has.
*/
class operation_table
{
public:
    /// Operations that are over: by themselves, and by `stop_all`.
    struct endings
    {
        std::size_t finished = 0, terminated = 0;
    };

    operation_table() = default;
    operation_table(const operation_table&) = delete;
    operation_table& operator=(const operation_table&) = delete;
    ~operation_table()
    {
        while (!all_.empty())
            extract(all_.front());
    }

    // They come and go.
    /// Gives it its number, and takes note when it is out of time.
    operation_state& add(std::unique_ptr<operation_state> state) noexcept
    {
        assert(!state->op->known_as());
        operation_state& added = *state.release();
        added.in = this;
        added.id = ++last_id_;
        added.op->set_known_as(&added);
        all_.push_back(added);
        outstanding_.push_back(added);
        ++size_;
        limits_.set(added.due, std::min(added.deadline, added.begin_by));
        return added;
    }
    /// It is over.
    std::unique_ptr<operation_state> take(operation_state& op) noexcept
    {
        others_ended_ += !op.traits().call;
        ++(op.terminated ? ended_.terminated : ended_.finished);
        return extract(op);
    }
    /// One was refused before it was anywhere.
    void count_refused(const operation_traits& traits) noexcept { others_ended_ += !traits.call; }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    /// Null: it is not there.
    operation_state* find(const operation& op) const noexcept
    {
        operation_state* const found = op.known_as();
        return found && found->in == this ? found : nullptr;
    }
    endings ended() const noexcept { return ended_; }
    /// Those that are over, or were refused, and were no plain calls.
    std::uint64_t others_ended() const noexcept { return others_ended_; }

    // In the order of their initiation, without those that `end_by_force` was called for.
    auto begin() noexcept { return outstanding_.begin(); }
    auto end() noexcept { return outstanding_.end(); }
    /// Null if there is none.
    operation_state* first() noexcept { return outstanding_.empty() ? nullptr : &outstanding_.front(); }
    bool all_end_by_force() const noexcept { return outstanding_.empty(); }
    /// `stop_all` has come to it.
    void end_by_force(operation_state& op) noexcept
    {
        op.ended = true;
        op.terminated = !op.final_error;
        outstanding_.erase(outstanding_.iterator_to(op));
        ended_by_force_.push_back(op);
    }

    // Something has happened to some.
    /// It is to be looked at, and does not rest.
    void touch(operation_state& op) noexcept
    {
        wake(op);
        if (!op.touched())
            touched_.push_back(op);
    }
    bool any_touched() const noexcept { return !touched_.empty(); }
    /// The next one to be looked at, in the order in which they were touched; null: none.
    operation_state* take_touched() noexcept
    {
        if (touched_.empty())
            return nullptr;
        operation_state& op = touched_.front();
        touched_.pop_front();
        return &op;
    }

    // Streams that have nothing to do before their readers want more.
    void rest(operation_state& op) noexcept { resting_ += !std::exchange(op.resting, true); }
    void wake(operation_state& op) noexcept { resting_ -= std::exchange(op.resting, false); }
    /// From now on none of them waits for its reader. Returns whether that is new.
    bool unbind_streams() noexcept { return !std::exchange(unbound_, true); }
    bool all_rest() const noexcept { return size_ == resting_; }

    // Deadlines and queue timeouts.
    /// The next one that is out of time; null: none.
    operation_state* take_late(time_point now) noexcept { return limits_.take_due(now); }
    /// Its queue timeout was looked at: from now on its deadline counts.
    void expect_deadline(operation_state& op) noexcept { limits_.set(op.due, op.deadline); }
    time_point next_limit() const noexcept { return limits_.next(); }

private:
    std::unique_ptr<operation_state> extract(operation_state& op) noexcept
    {
        wake(op);
        all_.erase(all_.iterator_to(op));
        --size_;
        op.op->set_known_as(nullptr);
        return std::unique_ptr<operation_state>(&op);
    }

    hooked_list<operation_state, known_tag> all_;
    hooked_list<operation_state, outstanding_tag> outstanding_;
    hooked_list<operation_state, outstanding_tag> ended_by_force_;
    hooked_list<operation_state, touched_tag> touched_;
    watch<operation_state> limits_;
    std::size_t size_ = 0;
    std::size_t resting_ = 0;
    bool unbound_ = false;
    std::uint64_t last_id_ = 0;
    std::uint64_t others_ended_ = 0;
    endings ended_;
};

} // namespace twat::mp::detail

#endif
