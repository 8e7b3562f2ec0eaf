// SPDX-License-Identifier: BSL-1.0
#include "worker/outcomes.hpp"

#include <cstring>

namespace twat::mp::detail {

void outcome_writer::of_chunk::write(record_kind kind, std::uint32_t position, std::span<const std::byte> bytes)
{
    const record what{chunk_, position, kind, bytes};
    if (!over_socket_ && writer_.ring_.write(what))
        return;
    over_socket_ = true;
    writer_.send(what);
}

void outcome_writer::of_chunk::end(duration busy)
{
    const std::int64_t nanoseconds = busy.count();
    write(record_kind::ended, 0, std::as_bytes(std::span(&nanoseconds, 1)));
}

void outcome_writer::send(const record& what)
{
    std::byte start[frame_header_size + record_header_size];
    write_frame_header(start, {frame_type::result, 0, what.chunk, record_header_size + what.bytes.size()});
    write_record_header(start + frame_header_size, what);
    connection_.send(start, what.bytes);
    told_ = ring_.published(); // whoever reads this reads the ring, too
    last_told_ = clock::now();
}

void outcome_writer::tell()
{
    if (told_ != ring_.published()) {
        told_ = ring_.published();
        connection_.queue({frame_type::published, 0, told_, 0});
    }
    connection_.flush();
    last_told_ = clock::now();
}

void outcome_writer::tell_if_late(time_point now)
{
    constexpr duration late = std::chrono::milliseconds(1);
    if (now - last_told_ >= late || ring_.is_half_full())
        tell();
}

} // namespace twat::mp::detail
