// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_ATTACHMENTS_HPP
#define TWAT_MP_DETAIL_CODEC_ATTACHMENTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <twat/mp/detail/codec/byte_buffer.hpp>

namespace twat::mp::detail {

/// A descriptor that travels with bytes, in which its key stands.
struct attachment
{
    std::size_t offset;            ///< Where its key was written.
    std::uint64_t key;             ///< Not that of any other, in this process and its relatives.
    std::shared_ptr<const int> fd; ///< Closed by the last one. Of memory: the block, which lives as long.
    /// A `shared_block`: any number of receivers may get it, and each may decode it any number of times. Else it has one of both.
    bool is_memory = false;
};

using attachments = std::vector<attachment>;

/// Whether there is one that has only one receiver.
inline bool has_descriptors(const attachments* sent) noexcept
{
    return sent && std::ranges::any_of(*sent, [](const attachment& each) { return !each.is_memory; });
}

/// Bytes, and the shared memory that they refer to.
struct attached_bytes
{
    byte_buffer bytes{};
    attachments sent{};
};

} // namespace twat::mp::detail

#endif
