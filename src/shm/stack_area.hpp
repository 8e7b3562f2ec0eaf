// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_SHM_STACK_AREA_HPP
#define TWAT_MP_SRC_SHM_STACK_AREA_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/captured_stack.hpp"
#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/** Where a worker leaves stacks for its parent. All zero at first; nothing of it takes memory before it is used. */
struct stack_words
{
    /// The signal that asks the worker for a stack; 0: it hears none. The worker writes it.
    std::atomic<std::uint32_t> signal;
    /// Number of the last request. The parent writes it, and sends the signal.
    std::atomic<std::uint32_t> asked;
    /// Of the request that `answer` is for: written when that is complete. The worker writes it.
    std::atomic<std::uint32_t> answered;
    /// The signal that the worker dies of: written when `crash` is complete. The worker writes it.
    std::atomic<std::uint32_t> crashed;
    std::int32_t crash_code;     ///< Its `si_code`.
    std::uint64_t crash_address; ///< Its `si_addr`.
    captured_stack crash, answer;
};

/** Maps the part of a worker's shared memory that holds them, for either side. Its memory lives as long as this does, whoever else lets go. */
class stack_area
{
public:
    /// Empty: nothing is mapped.
    stack_area() = default;
    /// @param fd Of memory of `shared_page::size_of(layout)` bytes. Stays empty if it cannot be mapped.
    stack_area(int fd, const page_layout& layout) noexcept;
    stack_area(stack_area&& other) noexcept;
    stack_area& operator=(stack_area&& other) noexcept;
    ~stack_area();

    explicit operator bool() const noexcept { return words_ != nullptr; }
    stack_words& operator*() const noexcept { return *words_; }
    stack_words* operator->() const noexcept { return words_; }

    /// Bytes that it takes: whole pages.
    static std::size_t size() noexcept;

private:
    stack_words* words_ = nullptr;
};

} // namespace twat::mp::detail

#endif
