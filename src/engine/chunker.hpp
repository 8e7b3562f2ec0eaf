// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_CHUNKER_HPP
#define TWAT_MP_SRC_ENGINE_CHUNKER_HPP

#include <chrono>
#include <cstddef>
#include <optional>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/** How many tasks of one operation go to a worker together.

    Starts with one task, or `first`, then aims at chunks that keep a worker busy for `aim`, some milliseconds: long enough that handing
    them out costs little, short enough that other operations get their turn and that a death or a cancellation loses little. Towards
    the end of an input of known size chunks shrink, so that the workers finish together.

    Chunks of a size that the caller gave travel together while they are short, since a round trip costs more than they do:
    each of their tasks can be taken back on its own, wherever it travels.
*/
class chunker
{
public:
    struct limits
    {
        std::size_t fixed = 0;    ///< `call_options::chunk_size`; 0: adapt.
        std::size_t together = 1; ///< So many chunks of this size may travel together.
        std::size_t first = 1;    ///< Before anything was measured, unless `fixed`.
        std::size_t most = 65536; ///< Never more than this, unless `fixed`.
        std::size_t nodes = 1;
        duration aim = std::chrono::milliseconds(4); ///< That a chunk should take.
    };

    explicit chunker(limits l) : limits_(l) {}

    /// A worker was busy for so long with so many tasks.
    void measured(std::size_t tasks, duration busy) noexcept;

    /// The size of the next chunk, at least 1. @param remaining Tasks not yet handed out, if known.
    std::size_t next(std::optional<std::size_t> remaining) const noexcept;

    /// So many workers share what is left.
    void share_among(std::size_t nodes) noexcept { limits_.nodes = nodes; }

    /// Others want their turns from now on: until something was measured, tasks go one by one. False: something was.
    bool hold_back() noexcept
    {
        limits_.first = 1;
        return per_task_ < 0;
    }

    /// How long a worker is likely to be busy with so many tasks; nothing before the first measurement.
    std::optional<duration> estimate(std::size_t tasks) const noexcept;

private:
    std::size_t chunks_together(std::optional<std::size_t> remaining) const noexcept;

    limits limits_;
    double per_task_ = -1;    // nanoseconds, a moving average; negative: not measured
    std::size_t largest_ = 0; // tasks in the largest chunk that was measured
};

} // namespace twat::mp::detail

#endif
