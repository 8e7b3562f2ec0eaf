// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_REPORT_BOARD_HPP
#define TWAT_MP_SRC_START_REPORT_BOARD_HPP

#include <twat/mp/detail/operation/task_report.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

namespace twat::mp::detail {

/** The latest report of one task. One thread writes; who reads finds it whole or sees that it changes. */
struct alignas(64) report_cell
{
    static constexpr std::size_t text_words = 26;
    static constexpr std::size_t text_capacity = text_words * 8;

    std::atomic<std::uint64_t> sequence; ///< Odd: it is being written. 0: nothing was.
    std::atomic<std::uint64_t> operation;
    std::atomic<std::uint64_t> chunk;
    std::atomic<std::uint64_t> index;
    std::atomic<std::uint64_t> fraction; ///< The bits of a double.
    std::atomic<std::uint64_t> length;
    std::array<std::atomic<std::uint64_t>, text_words> text;
};

/** Where a worker leaves what its tasks report, for the pool to look at when it has time.

    A report takes the place of an earlier one of the same task, so that however often a task reports nothing piles up and nobody is woken; the
    reports of the last `cells.size()` tasks are there. In zeroed memory, which two processes may share; nothing in it is a lock.
*/
struct report_board
{
    std::atomic<std::uint64_t> written; ///< Reports ever.
    std::atomic<std::uint64_t> taken;   ///< Cells ever taken for another task.
    std::array<report_cell, 16> cells;

    /// @param chunk Not 0. @param fraction From 0 to 1. @param text Is cut off between two characters where it is too long (UTF-8).
    void write(std::uint64_t operation, std::uint64_t chunk, std::uint64_t index, double fraction,
               std::string_view text) noexcept;

private:
    report_cell& cell_of(std::uint64_t chunk, std::uint64_t index) noexcept;
};

/** Reads a board that somebody else writes, perhaps a worker that has gone mad. */
class report_reader
{
public:
    /// Calls `f` with each report that has come since the last time.
    template <class F>
    void take(const report_board& board, F&& f)
    {
        const std::uint64_t written = board.written.load(std::memory_order_acquire);
        if (written == written_)
            return;
        written_ = written;
        for (std::size_t i = 0; i != seen_.size(); ++i)
            if (auto report = read(board.cells[i], seen_[i]))
                f(std::move(*report));
    }

private:
    std::optional<task_report> read(const report_cell& cell, std::uint64_t& seen);

    std::uint64_t written_ = 0;
    std::array<std::uint64_t, std::tuple_size_v<decltype(report_board::cells)>> seen_{};
};

/// A fraction as it is told: at least 0 and at most 1; what is no number is 0.
double clamp_fraction(double fraction) noexcept;

} // namespace twat::mp::detail

#endif
