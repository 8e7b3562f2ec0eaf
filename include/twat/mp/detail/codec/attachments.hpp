// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_ATTACHMENTS_HPP
#define TWAT_MP_DETAIL_CODEC_ATTACHMENTS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace twat::mp::detail {

/// A descriptor that travels with bytes, in which its key stands.
struct attachment
{
    std::size_t offset;            ///< Where its key was written.
    std::uint64_t key;             ///< Not that of any other, in this process and its relatives.
    std::shared_ptr<const int> fd; ///< Closed by the last one.
};

using attachments = std::vector<attachment>;

} // namespace twat::mp::detail

#endif
