// SPDX-License-Identifier: BSL-1.0
#include "worker/outcomes.hpp"

#include <cstring>
#include <thread>

#include "shm/block_registry.hpp"
#include "worker/standard_output.hpp"

namespace twat::mp::detail {

void outcome_writer::of_chunk::write(record_kind kind, std::uint32_t position, std::span<const std::byte> bytes,
                                     const attachments* sent)
{
    if (kind != record_kind::ended)
        standard_output::flush();
    if (sent && !sent->empty()) {
        over_socket_ = true; // behind the descriptors
        writer_.connection_.send_attached(frame_type::result_attached, chunk_, descriptors_of(*sent));
        writer_.connection_.send_attached(frame_type::result_memory, chunk_, memory_of(*sent));
    }
    const record what{chunk_, position, kind, bytes};
    if (bytes.size() >= byte_buffer::lending_size && !over_socket_ && kind == record_kind::value && writer_.store(what))
        return;
    if (!over_socket_ && (writer_.ring_.write(what) || writer_.wait_and_write(what)))
        return;
    over_socket_ = true;
    writer_.send(what);
}

void outcome_writer::of_chunk::end(duration busy)
{
    attachment_inbox::of_chunks().drop(chunk_);
    block_registry::instance().drop({block_owner::kind::chunk, chunk_});
    const std::int64_t nanoseconds = busy.count();
    write(record_kind::ended, 0, std::as_bytes(std::span(&nanoseconds, 1)));
}

// A system call for each small outcome costs more than it takes the parent to read a ring full of them.
bool outcome_writer::wait_and_write(const record& what)
{
    constexpr duration look_again = std::chrono::microseconds(50);
    constexpr int most_looks = 200; // the parent may be busy elsewhere, and the socket has room
    if (what.bytes.size() > ring_.size() / 64)
        return false;
    tell();
    for (int look = 0; look < most_looks; ++look) {
        std::this_thread::sleep_for(look_again);
        if (ring_.write(what))
            return true;
    }
    return false;
}

bool outcome_writer::store(const record& what)
{
    if (!arena_->holds(what.bytes)) {
        const std::span<std::byte> room = arena_->room(what.bytes.size());
        if (room.empty())
            return false;
        std::memcpy(room.data(), what.bytes.data(), what.bytes.size());
    }
    // Published for good only with its record, which there may be no room for.
    const arena_place place = arena_->next(what.bytes.size());
    const record stored{what.chunk, what.position, record_kind::stored, std::as_bytes(std::span(&place, 1))};
    if (!ring_.write(stored) && !wait_and_write(stored))
        return false;
    arena_->publish(place);
    return true;
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
    if (now - last_told_ >= late)
        tell();
}

// Once for each half of the ring: until the parent has read it, the ring stays full, and to tell again would not hurry it.
void outcome_writer::tell_if_much()
{
    if (ring_.published() - told_ >= ring_.size() / 2)
        tell();
}

} // namespace twat::mp::detail
