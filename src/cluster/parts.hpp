// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_PARTS_HPP
#define TWAT_MP_SRC_CLUSTER_PARTS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "backend/chunk.hpp"

namespace twat::mp::detail::cluster {

/** Puts together a body that is fetched in parts, because it does not fit into one message. No I/O and no clock.

    A few parts are asked for at a time, which bounds what is on the way; a part that does not come is asked for again. Memory is taken as
    parts arrive: the size is what the other side says.
*/
class part_reader
{
public:
    static constexpr std::size_t in_flight = 4;

    /// @pre `part_size != 0`
    part_reader(std::uint64_t size, std::size_t part_size, duration patience);

    struct request
    {
        std::uint64_t offset;
        std::size_t size;
    };

    /// The parts to ask for now.
    std::vector<request> take_requests(time_point now);

    /// A part arrived. False: it is malformed, or nobody has the body any more, and it will never be whole.
    bool add(std::uint64_t offset, std::span<const std::byte> bytes);

    bool is_whole() const noexcept { return arrived_ == size_; }
    time_point next_due() const noexcept;
    std::vector<std::byte> take() { return std::move(bytes_); }

private:
    std::size_t size_at(std::uint64_t offset) const noexcept;

    std::uint64_t size_;
    std::vector<std::byte> bytes_; // as far as parts have arrived
    std::size_t part_size_;
    duration patience_;
    std::uint64_t next_ = 0; // nobody asked for anything from here on
    std::uint64_t arrived_ = 0;
    std::map<std::uint64_t, time_point> asked_; // when each is asked for again
};

/// The part of a body that was asked for; empty if there is no such part.
std::span<const std::byte> find_part(std::span<const std::byte> body, std::uint64_t offset,
                                     std::uint64_t size) noexcept;

} // namespace twat::mp::detail::cluster

#endif
