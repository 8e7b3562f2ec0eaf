// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_SHARED_BLOCK_HPP
#define TWAT_MP_DETAIL_OPERATION_SHARED_BLOCK_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

namespace twat::mp::detail {

/** Memory that other processes can map. Freed when nobody refers to it.

    It travels as a descriptor beside the bytes that refer to it; those hold its key. A process has at most one object for a block: the one that
    made it, or the first that decoded it. A worker keeps the last ones that it was sent mapped.
*/
class TWAT_MP_DECL shared_block
{
public:
    /// A new block of zeroes. Throws `std::system_error`. @pre `size != 0`
    static std::shared_ptr<shared_block> make(std::size_t size);
    /// One that this process has, or whose descriptor has arrived. Throws `mp::error` (`decode_failed`) if there is none.
    static std::shared_ptr<shared_block> find(std::uint64_t key);

    shared_block(const shared_block&) = delete;
    shared_block& operator=(const shared_block&) = delete;
    ~shared_block();

    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    /// No other block has it, on this machine.
    std::uint64_t key() const noexcept { return key_; }
    const std::shared_ptr<const int>& descriptor() const noexcept { return descriptor_; }

private:
    struct private_tag
    {};

public:
    shared_block(private_tag, std::uint64_t key, std::shared_ptr<const int> descriptor);

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0; ///< In bytes.
    std::uint64_t key_;
    std::shared_ptr<const int> descriptor_; ///< Closed by the last one.
};

/// Has a block go with what is encoded. False: it cannot, or there is none, and its bytes have to be written. If not, its key.
TWAT_MP_DECL bool send_along(encoder& out, const std::shared_ptr<shared_block>& block);
/// The block whose key comes next. Throws `mp::error` (`decode_failed`) if it is not here.
TWAT_MP_DECL std::shared_ptr<shared_block> read_block(decoder& in);

} // namespace twat::mp::detail

#endif
