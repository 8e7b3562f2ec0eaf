// SPDX-License-Identifier: BSL-1.0
// A worker that means harm, or is broken: it speaks nonsense to its parent, in the way that its environment says.
#include <twat/mp/error.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.hpp"
#include "shm/arena.hpp"
#include "shm/claim.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "shm/result_ring.hpp"
#include "shm/shared_page.hpp"
#include "start/marker.hpp"

using namespace twat::mp::detail;

namespace {

void send(const void* bytes, std::size_t n)
{
    const char* at = static_cast<const char*>(bytes);
    while (n != 0) {
        const ssize_t sent = ::send(worker_socket, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            ::_exit(0);
        at += sent;
        n -= static_cast<std::size_t>(sent);
    }
}

void send(const byte_buffer& bytes) { send(bytes.data(), bytes.size()); }

void send_frame(frame_type type, std::uint64_t id = 0, std::span<const std::byte> bytes = {})
{
    byte_buffer out;
    append_frame(out, {type, 0, id, 0}, bytes);
    send(out);
}

[[noreturn]] void wait_for_the_end()
{
    char dropped[4096];
    for (;;) {
        const ssize_t n = ::recv(worker_socket, dropped, sizeof dropped, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            ::_exit(0);
    }
}

frame_reader reader{std::uint64_t(1) << 30};

frame next_frame()
{
    for (;;) {
        if (const auto arrived = reader.next())
            return *arrived;
        const auto space = reader.space();
        const ssize_t n = ::recv(worker_socket, space.data(), space.size(), 0);
        if (n <= 0)
            ::_exit(0);
        reader.add(static_cast<std::size_t>(n));
    }
}

void reply(std::uint64_t nonce, std::uint32_t version = protocol_version)
{
    byte_buffer bytes;
    write_hello_reply(bytes, {version, ::getpid(), nonce, "another build"});
    send_frame(frame_type::hello_reply, 0, bytes.bytes());
}

void send_record(const record& what)
{
    byte_buffer bytes;
    write_record_header(bytes.extend(record_header_size), what);
    bytes.append(what.bytes.data(), what.bytes.size());
    send_frame(frame_type::result, what.chunk, bytes.bytes());
}

/// What its environment says befalls it now.
void meet_the_cause()
{
    const char* const cause = std::getenv("TWAT_MP_TEST_CAUSE");
    twat::mp::test::commit(static_cast<twat::mp::test::cause>(std::atoi(cause ? cause : "0")));
}

} // namespace

int main()
{
    const char* const mode_text = std::getenv("TWAT_MP_TEST_HOSTILE");
    if (get_worker_state() == worker_state::not_a_worker || !mode_text)
        return 2;
    // read before main, where it is also taken out of the environment
    const worker_marker* const marker = &get_worker_marker();
    const std::string_view mode = mode_text;
    std::mt19937_64 random(marker->nonce);

    if (mode == "garbage") {
        for (int i = 0; i != 10'000; ++i) {
            const std::uint64_t word = random();
            send(&word, sizeof word);
        }
        wait_for_the_end();
    }
    if (mode == "silent")
        wait_for_the_end();
    if (mode == "half_a_frame") {
        byte_buffer out;
        append_frame(out, {frame_type::hello_reply, 0, 0, 0},
                     std::as_bytes(std::span("only the beginning of a longer text")));
        send(out.data(), out.size() - 10);
        ::_exit(0);
    }
    if (mode == "greeting_unread")
        meet_the_cause();
    next_frame(); // the hello
    if (mode == "greeting_unanswered")
        meet_the_cause();
    if (mode == "greeting_half_answered") {
        byte_buffer bytes, out;
        write_hello_reply(bytes, {protocol_version, ::getpid(), marker->nonce, "another build"});
        append_frame(out, {frame_type::hello_reply, 0, 0, 0}, bytes.bytes());
        send(out.data(), out.size() / 2);
        meet_the_cause();
    }
    if (mode == "oversized_frame") {
        std::byte header[frame_header_size];
        write_frame_header(header, {frame_type::hello_reply, 0, 0, std::uint64_t(1) << 62});
        send(header, sizeof header);
        wait_for_the_end();
    }
    if (mode == "wrong_nonce") {
        reply(marker->nonce + 1);
        send_frame(frame_type::ready);
        wait_for_the_end();
    }
    if (mode == "wrong_version") {
        reply(marker->nonce, protocol_version + 1);
        send_frame(frame_type::ready);
        wait_for_the_end();
    }
    if (mode == "ready_before_greeting") {
        send_frame(frame_type::ready);
        wait_for_the_end();
    }
    if (mode == "flood") {
        for (;;)
            send_frame(frame_type::pong, 1);
    }
    reply(marker->nonce);
    if (mode == "greeting_answered")
        meet_the_cause();
    send_frame(frame_type::ready);

    // From here on it is a worker that takes tasks.
    frame work = next_frame();
    while (work.header.type != frame_type::chunk)
        work = next_frame();
    const std::uint64_t id = work.header.id;
    if (mode == "garbage_for_a_result") {
        const std::uint64_t word[4] = {random(), random(), random(), random()};
        send_record({id, 0, record_kind::value, std::as_bytes(std::span(word)).first(3)});
        const std::int64_t busy = -1;
        send_record({id, 0, record_kind::ended, std::as_bytes(std::span(&busy, 1))});
        wait_for_the_end();
    }
    if (mode == "garbage_for_an_exception") {
        std::uint64_t words[64];
        for (auto& word : words)
            word = random();
        send_record({id, 0, record_kind::failure, std::as_bytes(std::span(words))});
        wait_for_the_end();
    }
    if (mode == "half_a_result") {
        shared_page page = shared_page::attach(worker_page);
        chunk_slot& slot = page.slot(read_chunk(work.bytes).message.slot);
        const int value = 4711;
        const std::uint32_t count = read_chunk(work.bytes).message.count;
        const claimed_tasks claimed = claim_tasks(slot.claim, chunk_tag(id), count, 2);
        for (std::uint32_t position = claimed.begin; position != claimed.begin + claimed.count; ++position) {
            slot.mark.store(pack(mark_state{chunk_tag(id), position}));
            if (position == 0) {
                send_record({id, 0, record_kind::value, std::as_bytes(std::span(&value, 1))});
                continue;
            }
            byte_buffer bytes, out;
            write_record_header(bytes.extend(record_header_size),
                                {id, position, record_kind::value, std::as_bytes(std::span(&value, 1))});
            bytes.append(&value, sizeof value);
            append_frame(out, {frame_type::result, 0, id, 0}, bytes.bytes());
            send(out.data(), out.size() - 2);
        }
        meet_the_cause();
    }
    if (mode == "unknown_chunk")
        send_record({id + 1, 0, record_kind::value, {}});
    if (mode == "unknown_task")
        send_record({id, 4711, record_kind::value, {}});
    if (mode == "ends_before_its_tasks") {
        const std::int64_t busy = 0;
        send_record({id, 0, record_kind::ended, std::as_bytes(std::span(&busy, 1))});
    }
    if (mode == "frame_of_a_parent")
        send_frame(frame_type::chunk, id);
    if (mode == "cut_record")
        send_frame(frame_type::result, id, std::as_bytes(std::span("cut")));
    if (mode == "stored_outside") {
        const arena_place place{random(), random() | std::uint64_t(1) << 40};
        send_record({id, 0, record_kind::stored, std::as_bytes(std::span(&place, 1))});
    }
    if (mode == "stored_beyond_the_limit") {
        const arena_place place{0, std::uint64_t(2) << 20};
        send_record({id, 0, record_kind::stored, std::as_bytes(std::span(&place, 1))});
    }
    if (mode == "short_record_first") {
        const std::uint64_t word = std::uint64_t(1) << 63;
        shared_page page = shared_page::attach(worker_page);
        std::memcpy(page.ring().data(), &word, sizeof word);
        page.ring_head().store(sizeof word);
        send_frame(frame_type::published, sizeof word);
    }
    if (mode == "scribbled_page") {
        shared_page page = shared_page::attach(worker_page);
        auto* const base = reinterpret_cast<std::uint64_t*>(&page.slot(0));
        for (std::size_t i = 0; i != page.layout().slots * sizeof(chunk_slot) / 8; ++i)
            base[i] = random();
        for (auto& byte : page.ring())
            byte = static_cast<std::byte>(random());
        page.ring_head().store(random());
        send_frame(frame_type::published, random());
    }
    if (mode == "scribbled_ring") {
        shared_page page = shared_page::attach(worker_page);
        for (auto& byte : page.ring())
            byte = static_cast<std::byte>(random());
        page.ring_head().store(page.ring().size());
        send_frame(frame_type::published, page.ring().size());
    }
    if (mode == "ring_runs_backwards") {
        shared_page page = shared_page::attach(worker_page);
        page.ring_head().store(static_cast<std::uint64_t>(-1));
        send_frame(frame_type::published, 0);
    }
    wait_for_the_end();
}
