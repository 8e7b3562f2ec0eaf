// SPDX-License-Identifier: BSL-1.0
#include "engine/chunker.hpp"

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

constexpr double least_part = 80; // of the aim, below which a chunk is not shrunk towards the end: 50 us of 4 ms
// A chunk is at most so many times larger than the largest one that was measured. Each step takes a round trip, and the whole of a
// million tiny tasks as long as a hundred of these; what was guessed too large is taken back by those who are idle.
constexpr std::size_t growth = 64;
constexpr double together_part = 8; // of the aim, that several chunks of a given size should take together

} // namespace

void chunker::measured(std::size_t tasks, duration busy) noexcept
{
    if (tasks == 0)
        return;
    const double now = std::max<double>(1, static_cast<double>(busy.count()) / static_cast<double>(tasks));
    // A larger chunk tells more than a smaller one: the fixed cost of a chunk is spread over its tasks.
    if (per_task_ < 0 || tasks > 2 * largest_)
        per_task_ = now;
    else
        per_task_ += (now - per_task_) / 4;
    largest_ = std::max(largest_, tasks);
}

std::size_t chunker::next(std::optional<std::size_t> remaining) const noexcept
{
    if (limits_.fixed != 0)
        return limits_.fixed * chunks_together(remaining);
    if (per_task_ < 0) {
        // All the workers get something at once, and half is left for when it is known what a task costs.
        const std::size_t share = remaining ? *remaining / (4 * limits_.nodes) : 1;
        return std::max<std::size_t>(1, std::min(limits_.first, share));
    }
    const double aim = static_cast<double>(limits_.aim.count());
    double size =
        std::min({aim / per_task_, static_cast<double>(growth * largest_), static_cast<double>(limits_.most)});
    if (remaining) {
        const double share = static_cast<double>(*remaining) / static_cast<double>(2 * limits_.nodes);
        size = std::min(size, std::max(share, aim / least_part / per_task_));
    }
    return std::max<std::size_t>(1, static_cast<std::size_t>(size));
}

std::size_t chunker::chunks_together(std::optional<std::size_t> remaining) const noexcept
{
    if (per_task_ < 0 || limits_.together <= 1)
        return 1;
    const double one = static_cast<double>(limits_.fixed);
    double chunks = std::min(static_cast<double>(limits_.aim.count()) / together_part / (per_task_ * one),
                             static_cast<double>(limits_.together));
    chunks = std::min(chunks, static_cast<double>(growth * largest_) / one);
    if (remaining)
        chunks = std::min(chunks, static_cast<double>(*remaining) / one / static_cast<double>(2 * limits_.nodes));
    return std::max<std::size_t>(1, static_cast<std::size_t>(chunks));
}

std::optional<duration> chunker::estimate(std::size_t tasks) const noexcept
{
    if (per_task_ < 0)
        return std::nullopt;
    return saturating_duration(per_task_ * static_cast<double>(tasks));
}

} // namespace twat::mp::detail
