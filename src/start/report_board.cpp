// SPDX-License-Identifier: BSL-1.0
#include "start/report_board.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace twat::mp::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::string_view whole_characters(std::string_view text, std::size_t most) noexcept
{
    if (text.size() <= most)
        return text;
    while (most != 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
        --most;
    return text.substr(0, most);
}

} // namespace

double clamp_fraction(double fraction) noexcept { return fraction > 0 ? std::min(fraction, 1.0) : 0.0; }

report_cell& report_board::cell_of(std::uint64_t chunk, std::uint64_t index) noexcept
{
    const auto is_its_own = [&](const report_cell& c) {
        return c.chunk.load(relaxed) == chunk && c.index.load(relaxed) == index;
    };
    const std::uint64_t last = taken.load(relaxed);
    report_cell& latest = cells[last % cells.size()];
    if (is_its_own(latest))
        return latest;
    const auto found = std::find_if(cells.begin(), cells.end(), is_its_own);
    if (found != cells.end())
        return *found;
    taken.store(last + 1, relaxed);
    return cells[(last + 1) % cells.size()];
}

void report_board::write(std::uint64_t op, std::uint64_t chunk, std::uint64_t index, double fraction,
                         std::string_view text) noexcept
{
    report_cell& cell = cell_of(chunk, index);
    const std::string_view kept = whole_characters(text, report_cell::text_capacity);
    const std::uint64_t sequence = cell.sequence.load(relaxed);
    cell.sequence.store(sequence + 1, relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    cell.operation.store(op, relaxed);
    cell.chunk.store(chunk, relaxed);
    cell.index.store(index, relaxed);
    cell.fraction.store(std::bit_cast<std::uint64_t>(fraction), relaxed);
    cell.length.store(kept.size(), relaxed);
    for (std::size_t at = 0; at < kept.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, kept.data() + at, std::min<std::size_t>(8, kept.size() - at));
        cell.text[at / 8].store(word, relaxed);
    }
    cell.sequence.store(sequence + 2, std::memory_order_release);
    written.store(written.load(relaxed) + 1, std::memory_order_release);
}

std::optional<task_report> report_reader::read(const report_cell& cell, std::uint64_t& seen)
{
    const std::uint64_t before = cell.sequence.load(std::memory_order_acquire);
    if (before == seen)
        return std::nullopt;
    written_ -= before % 2; // it is being written: look again
    if (before % 2 != 0)
        return std::nullopt;
    task_report report;
    report.operation = cell.operation.load(relaxed);
    report.index = cell.index.load(relaxed);
    report.fraction = clamp_fraction(std::bit_cast<double>(cell.fraction.load(relaxed)));
    const std::size_t length = std::min<std::uint64_t>(cell.length.load(relaxed), report_cell::text_capacity);
    report.text.resize(length);
    for (std::size_t at = 0; at < length; at += 8) {
        const std::uint64_t word = cell.text[at / 8].load(relaxed);
        std::memcpy(report.text.data() + at, &word, std::min<std::size_t>(8, length - at));
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (cell.sequence.load(relaxed) != before) {
        --written_;
        return std::nullopt;
    }
    seen = before;
    return report;
}

} // namespace twat::mp::detail
