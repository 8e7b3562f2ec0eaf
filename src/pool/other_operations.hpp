// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_OTHER_OPERATIONS_HPP
#define TWAT_MP_SRC_POOL_OTHER_OPERATIONS_HPP

#include <atomic>
#include <cstdint>

#include <twat/mp/detail/operation/operation.hpp>

namespace twat::mp::detail {

/** Counts the operations of a pool that are no plain calls, from their submission to their end: whether calls are all that is outstanding. */
class other_operations
{
public:
    /// Any thread.
    void note_submission(const operation_traits& of) noexcept { submitted_ += !of.call; }
    /// Any thread.
    bool none_outstanding() const noexcept { return ended_ == submitted_; }

    /// On the strand: one was refused that the engine did not see.
    void note_refusal(const operation_traits& of) noexcept { refused_ += !of.call; }
    /// On the strand. @param in_engine What `engine::others_ended` tells.
    void note_ends(std::uint64_t in_engine) noexcept { ended_ = in_engine + refused_; }

private:
    std::atomic<std::uint64_t> submitted_{0}, ended_{0};
    std::uint64_t refused_ = 0;
};

} // namespace twat::mp::detail

#endif
