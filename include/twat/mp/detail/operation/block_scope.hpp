// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BLOCK_SCOPE_HPP
#define TWAT_MP_DETAIL_OPERATION_BLOCK_SCOPE_HPP

#include <cstddef>
#include <cstdint>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Where a worker is in a block of elements.
struct block_place
{
    std::uint64_t first;     ///< Index of the block's first element in the input.
    const std::size_t* done; ///< Elements that it is done with.
};

/** As long as it lives, `this_task` answers for the elements of a block, each of which is a task to the user. */
class TWAT_MP_DECL block_scope
{
public:
    /// @param done Must not move meanwhile.
    block_scope(std::uint64_t first, const std::size_t& done) noexcept;
    block_scope(const block_scope&) = delete;
    block_scope& operator=(const block_scope&) = delete;
    ~block_scope();

private:
    const block_place place_;
};

} // namespace twat::mp::detail

#endif
