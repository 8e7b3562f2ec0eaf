// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_LISTENERS_HPP
#define TWAT_MP_SRC_ENGINE_LISTENERS_HPP

#include <cstdint>
#include <vector>

#include "engine/state.hpp"

namespace twat::mp::detail {

/** The operations that want to know of progress; decides when to look at what their tasks have reported.

    Workers wake nobody for a report, so somebody looks: every now and then, and before outcomes are told, as what tasks had reported before
    comes before these; but not each time, as a look goes over all workers.
*/
class listeners
{
public:
    void add(operation_state& op, time_point now);
    void remove(const operation_state& op) noexcept;
    bool empty() const noexcept { return all_.empty(); }
    /// The one that still wants to know; null if there is none.
    operation_state* find(std::uint64_t operation) const noexcept;

    /// Whether to look before outcomes are told. @param last No outcome follows: whatever was reported is told now.
    bool look_before_outcome(bool last, time_point now) const noexcept;
    /// Somebody looks.
    void looked(time_point now) noexcept;
    /// When to look even if no outcome arrives; `time_point::max()`: nobody wants to know.
    time_point next() const noexcept { return next_; }

private:
    std::vector<operation_state*> all_;
    time_point looked_at_{}, next_ = time_point::max();
};

} // namespace twat::mp::detail

#endif
