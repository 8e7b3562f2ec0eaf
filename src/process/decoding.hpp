// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_DECODING_HPP
#define TWAT_MP_SRC_PROCESS_DECODING_HPP

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <span>

#include <twat/mp/detail/operation/decoded_result.hpp>

#include "shm/arena.hpp"

namespace twat::mp::detail {

/** A large result on its way through the codec thread.

    It keeps the memory that the bytes lie in, and nothing else: neither the operation nor its context, which may both be gone by then. The
    worker that sent it may be dead, too.
*/
class decoding
{
public:
    decoding(std::shared_ptr<const arena_mapping> memory, std::span<const std::byte> bytes,
             result_decoder decode) noexcept
        : memory_(std::move(memory)), bytes_(bytes), decode_(decode)
    {}

    /// Has it decoded. `told` is called afterwards, on the codec thread, unless it was dropped before; or there is no such thread, and
    /// it is decoded at once. Then `is_done`, and nobody is told.
    static void begin(const std::shared_ptr<decoding>& self, std::function<void()> told);

    bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
    /// Nobody wants it any more: if it was not begun, it never is.
    void drop() noexcept { dropped_.store(true, std::memory_order_relaxed); }

    std::size_t size() const noexcept { return bytes_.size(); }
    /// @pre `is_done()` One of the two is null.
    decoded_result* value() const noexcept { return value_.get(); }
    const std::exception_ptr& error() const noexcept { return error_; }

private:
    void decode() noexcept;

    std::shared_ptr<const arena_mapping> memory_;
    std::span<const std::byte> bytes_;
    result_decoder decode_;
    std::unique_ptr<decoded_result> value_;
    std::exception_ptr error_;
    std::atomic<bool> done_{false}, dropped_{false};
};

} // namespace twat::mp::detail

#endif
