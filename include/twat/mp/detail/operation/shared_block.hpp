// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_SHARED_BLOCK_HPP
#define TWAT_MP_DETAIL_OPERATION_SHARED_BLOCK_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** Memory that the worker processes of this program can map. Freed when nobody refers to it.

    A worker finds a block of its parent's by its name and keeps the last ones mapped. What a worker makes itself has no name that
    would outlive its task.
*/
class TWAT_MP_DECL shared_block
{
public:
    struct name
    {
        std::uint64_t process = 0;    ///< That made it, and has it open
        std::uint64_t descriptor = 0; ///<   here.
        std::uint64_t device = 0;     ///< This and the next: what has to be found there.
        std::uint64_t inode = 0;
        std::uint64_t size = 0; ///< In bytes.
    };

    /// A new block of zeroes. Throws `std::system_error`. @pre `size != 0`
    static std::shared_ptr<shared_block> make(std::size_t size);
    /// A block of this process, or, in a worker, of its parent. Throws `mp::error` (`decode_failed`) if there is none.
    static std::shared_ptr<shared_block> find(const name& wanted);

    shared_block(const shared_block&) = delete;
    shared_block& operator=(const shared_block&) = delete;
    ~shared_block();

    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(name_.size); }

    /// Whether who is sent the name finds the block. If not, its bytes have to be sent.
    bool has_name() const noexcept;
    name get_name() const noexcept;

private:
    struct private_tag
    {};

public:
    shared_block(private_tag, int descriptor, bool is_own);

private:
    std::byte* data_ = nullptr;
    int descriptor_ = -1; ///< Of those that were made here.
    name name_{};
};

} // namespace twat::mp::detail

#endif
