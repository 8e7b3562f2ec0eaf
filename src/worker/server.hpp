// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_SERVER_HPP
#define TWAT_MP_SRC_WORKER_SERVER_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

#include "shm/arena.hpp"
#include "shm/shared_page.hpp"
#include "worker/connection.hpp"
#include "worker/coroutine_tasks.hpp"
#include "worker/functions.hpp"
#include "worker/memory_probe.hpp"
#include "worker/stop_desk.hpp"
#include "worker/work.hpp"

namespace twat::mp::detail {

/** A worker's life: handshake, initializer, chunks, finalizer.

    Plain tasks are run between blocking reads, which is the shortest round trip. While coroutines or other work of
    theirs are outstanding on the worker's io_context, that runs instead and the socket is read through it.
*/
class worker_server
{
public:
    /// The descriptors are not owned. @param nonce Of the marker.
    worker_server(int socket, int page, std::uint64_t nonce);

    /// Serves until the parent says goodbye or is gone. Throws if the parent sends malformed data, and what work on
    /// the io_context that is no task throws.
    void run();

    /// The parent may want a task to stop. For another thread, while the object lives.
    void look_at_stop_requests() { desk_.look(); }
    /// Whether it has something to do. For another thread.
    bool is_busy() const noexcept { return busy_.load(std::memory_order_relaxed); }
    /// See `watchdog::pause_with_parent`.
    std::atomic<std::uint64_t>& paused_word() const noexcept { return page_.paused(); }

private:
    struct deferred_work
    {
        byte_buffer bytes;
        received_work work;
    };

    void serve();
    void handle(const frame& arrived);
    void shake_hands(const frame& arrived);
    void handle_chunk(const frame& arrived);
    void start(const received_work& work);
    void start_deferred();
    bool can_start(bool coroutine) const noexcept;

    bool has_background_work();
    void run_background_work();
    void poll();
    void arm();

    /// Makes the call that the bytes stand for, and returns its result; empty: nothing.
    encoder run_hook(std::span<const std::byte> encoded, std::size_t limit = std::numeric_limits<std::size_t>::max());
    void say_farewell();

    asio::io_context io_{1};
    asio::posix::stream_descriptor arrivals_; ///< Readable while something lies unread in the socket.
    bool armed_ = false;
    bool readable_ = false;

    worker_connection connection_;
    shared_page page_;
    arena_mapping arguments_;
    std::uint64_t nonce_;
    outcome_writer outcomes_;
    stop_desk desk_;
    memory_probe memory_;
    worker_context context_;
    work_environment environment_;
    function_table functions_;
    encoder result_;
    coroutine_tasks coroutines_;
    std::deque<deferred_work> deferred_; ///< Chunks of the kind that cannot run beside what runs.
    byte_buffer finalizer_;
    bool debug_ = false;
    bool ready_ = false;
    bool leaving_ = false;
    std::atomic<bool> busy_{true};
};

} // namespace twat::mp::detail

#endif
