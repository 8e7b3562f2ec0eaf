// SPDX-License-Identifier: BSL-1.0
#include "worker/server.hpp"

#include <twat/mp/error.hpp>

#include <boost/asio/co_spawn.hpp>

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "chaos/faults.hpp"
#include "wire/exception.hpp"
#include "function/module.hpp"
#include "os/fork_mark.hpp"
#include "os/readiness.hpp"
#include "shm/block_registry.hpp"
#include "time/saturating.hpp"
#include "worker/standard_output.hpp"
#include "worker/process_scope.hpp"
#include "worker/task_memory.hpp"

namespace twat::mp::detail {
namespace {

/// Outcomes of chunks that are this short wait for those of the next one, if it is here already.
constexpr duration short_chunk = std::chrono::microseconds(50);

time_point after(time_point now, const std::optional<duration>& remaining) noexcept
{
    return remaining ? saturating_add(now, *remaining) : time_point::max();
}

std::shared_ptr<result_arena> make_result_arena(int fd, const shared_page& page)
{
    return std::make_shared<result_arena>(arena_mapping(fd, page.layout(), arena_mapping::use::results),
                                          page.arena_tail());
}

// Not the socket itself: Asio would make it non-blocking, and plain tasks are served by blocking calls.
asio::posix::stream_descriptor make_arrivals(asio::io_context& io, int socket)
{
    boost::system::error_code ec;
    unique_descriptor made = make_readiness(socket, EPOLLIN | EPOLLRDHUP, ec);
    if (ec)
        throw boost::system::system_error(ec, "watching the socket of a worker");
    asio::posix::stream_descriptor arrivals(io, made.get());
    made.release();
    return arrivals;
}

} // namespace

worker_server::worker_server(int socket, int page, std::uint64_t nonce)
    : arrivals_(make_arrivals(io_, socket)), connection_(socket), page_(shared_page::attach(page)),
      // What a task writes astray must not reach arguments that another worker may get after this one's death.
      arguments_(page, page_.layout(), arena_mapping::use::arguments, arena_mapping::access::read), nonce_(nonce),
      outcomes_(connection_, page_, make_result_arena(page, page_)),
      memory_(page_), environment_{io_, context_, page_, outcomes_, desk_, memory_, 0, {}}, coroutines_(environment_)
{
    context_.executor = io_.get_executor();
    context_.on_cpu = &page_.on_cpu();
    context_.board = &page_.reports();
    if (arguments_.bytes().empty())
        page_.arguments_refused() = 1;
}

void worker_server::run()
{
    const process_scope scope(context_);
    try {
        serve();
        say_farewell();
    }
    catch (const parent_gone&) {
    }
}

void worker_server::serve()
{
    for (;;) {
        while (!leaving_) {
            const auto arrived = connection_.next();
            if (!arrived)
                break;
            handle(*arrived);
        }
        if (leaving_)
            return;
        start_deferred();
        if (has_background_work())
            run_background_work();
        else {
            outcomes_.tell();
            busy_.store(false, std::memory_order_relaxed);
            connection_.read();
            busy_.store(true, std::memory_order_relaxed);
        }
    }
}

void worker_server::handle(const frame& arrived)
{
    if (!ready_ && arrived.header.type != frame_type::hello && arrived.header.type != frame_type::goodbye &&
        arrived.header.type != frame_type::memory)
        throw error(errc::protocol_error, "the parent sent work before the handshake was done");
    switch (arrived.header.type) {
    case frame_type::hello: return shake_hands(arrived);
    case frame_type::function:
        functions_.add(arrived.header.id, arrived.bytes);
        return block_registry::instance().drop({block_owner::kind::function, arrived.header.id});
    case frame_type::forget: return functions_.forget(arrived.header.id);
    case frame_type::attached:
        return connection_.arrived().name(arrived.bytes, [&](std::uint64_t key, unique_fd fd) {
            attachment_inbox::of_chunks().put(arrived.header.id, key, std::move(fd));
        });
    case frame_type::memory: {
        const bool of_function = (arrived.header.flags & frame_flag_function) != 0;
        const block_owner owner{of_function ? block_owner::kind::function : block_owner::kind::chunk,
                                arrived.header.id};
        return connection_.arrived().name(arrived.bytes, [&](std::uint64_t key, unique_fd fd) {
            block_registry::instance().put(owner, key, std::move(fd));
        });
    }
    case frame_type::chunk: return handle_chunk(arrived);
    case frame_type::cancel:
        return coroutines_.cancel(arrived.header.id, (arrived.header.flags & frame_flag_abandon) != 0);
    case frame_type::ping: return connection_.queue({frame_type::pong, 0, arrived.header.id, 0});
    case frame_type::goodbye: leaving_ = true; return;
    default: throw error(errc::protocol_error, "the parent sent a frame that only a worker sends");
    }
}

void worker_server::shake_hands(const frame& arrived)
{
    const hello_message hello = read_hello(arrived.bytes);
    byte_buffer reply;
    write_hello_reply(reply, {protocol_version, ::getpid(), nonce_, build_id()});
    connection_.queue({frame_type::hello_reply, 0, 0, 0}, reply.bytes());
    connection_.flush();
    if (ready_ || hello.version != protocol_version || (!hello.foreign && hello.build != build_id()))
        return; // the parent says so to its caller, and kills this process

    debug_ = hello.debug;
    connection_.set_spin(hello.spin);
    context_.index = static_cast<std::size_t>(hello.node);
    environment_.max_message_size = static_cast<std::size_t>(hello.max_message_size);
    finalizer_.append(hello.finalizer.data(), hello.finalizer.size());
    if (hello.watches_memory)
        memory_.set_period(std::chrono::milliseconds(1));
    if (!hello.chaos.empty())
        environment_.chaos.emplace(parse_chaos(hello.chaos));
    sleep_unless(hello.slow_start, [] { return false; });
    try {
        run_hook(hello.initializer);
        run_hook(hello.state);
        standard_output::flush();
        task_memory::set_limit(static_cast<std::size_t>(hello.max_memory), page_);
        memory_.look(clock::now());
        ready_ = true;
        connection_.queue({frame_type::ready, 0, 0, 0});
    }
    catch (const parent_gone&) {
        throw;
    }
    catch (...) {
        encoder bytes(failure_limit(environment_.max_message_size));
        encode_exception(bytes, std::current_exception());
        connection_.queue({frame_type::initializer_failed, 0, 0, 0}, bytes.bytes());
    }
    connection_.flush();
}

void worker_server::handle_chunk(const frame& arrived)
{
    received_chunk chunk = read_chunk(arrived.bytes, arguments_);
    if (chunk.message.slot >= page_.layout().slots)
        throw error(errc::protocol_error, "the parent sent a chunk for a slot that is not there");
    received_work work{arrived.header.id, chunk.message, chunk.arguments, functions_.find(chunk.message.op),
                       after(clock::now(), chunk.message.remaining)};
    if (!work.function)
        throw error(errc::protocol_error, "the parent sent a chunk before its function");
    if (deferred_.empty() && can_start(work.message.coroutine))
        return start(work);
    deferred_work kept;
    kept.bytes.append(arrived.bytes.data(), arrived.bytes.size());
    kept.work = std::move(work);
    kept.work.arguments = read_chunk(kept.bytes.bytes(), arguments_).arguments;
    deferred_.push_back(std::move(kept));
}

bool worker_server::can_start(bool coroutine) const noexcept { return coroutine || coroutines_.active() == 0; }

void worker_server::start(const received_work& work)
{
    if (work.message.coroutine)
        return coroutines_.start(work);
    run_plain_chunk(environment_, work, result_);
    if (!connection_.has_frame() || clock::now() - outcomes_.last_told() > short_chunk)
        outcomes_.tell();
}

void worker_server::start_deferred()
{
    while (!deferred_.empty() && can_start(deferred_.front().work.message.coroutine)) {
        const deferred_work next = std::move(deferred_.front());
        deferred_.pop_front();
        start(next.work);
    }
}

bool worker_server::has_background_work()
{
    if (coroutines_.active() != 0)
        return true;
    // The wait for the socket must not count as work of the tasks.
    if (armed_)
        arrivals_.cancel();
    do {
        io_.restart();
        poll();
    } while (armed_);
    return !io_.stopped();
}

void worker_server::run_background_work()
{
    arm();
    outcomes_.tell();
    const task_memory::scope limited;
    io_.restart();
    io_.run_one();
    leave_if_copy();
    poll(); // many outcomes are told at once
    coroutines_.bury();
    if (std::exchange(readable_, false))
        connection_.read_available();
}

// A copy of this process that a coroutine made must not run what the next one is about to do.
void worker_server::poll()
{
    while (io_.poll_one() != 0)
        leave_if_copy();
}

void worker_server::arm()
{
    if (std::exchange(armed_, true))
        return;
    // One that completes for no reason costs a read that finds nothing.
    arrivals_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& ec) {
        armed_ = false;
        readable_ = ec != asio::error::operation_aborted;
    });
}

encoder worker_server::run_hook(std::span<const std::byte> encoded, std::size_t limit)
{
    encoder result(limit);
    if (encoded.empty())
        return result;
    const known_function known = load_function(encoded);
    if (known.error)
        std::rethrow_exception(known.error);
    if (!known.function->is_coroutine()) {
        decoder none;
        known.function->call(none, result);
        return result;
    }
    std::optional<std::exception_ptr> outcome;
    asio::awaitable<void> call = known.function->call_async(decoder(), result);
    asio::co_spawn(io_, std::move(call), [&outcome](std::exception_ptr error) { outcome = std::move(error); });
    while (!outcome) {
        io_.restart();
        io_.run_one();
    }
    if (*outcome)
        std::rethrow_exception(*outcome);
    return result;
}

void worker_server::say_farewell()
{
    frame_header farewell{frame_type::farewell, 0, 0, 0};
    encoder result;
    if (ready_) {
        try {
            result = run_hook(finalizer_.bytes(), environment_.max_message_size);
            farewell.flags = frame_flag_value;
        }
        catch (const std::exception& e) {
            if (debug_)
                std::fprintf(stderr, "twat-mp: the finalizer of worker %zu failed: %s\n", context_.index, e.what());
        }
        catch (...) {
            if (debug_)
                std::fprintf(stderr, "twat-mp: the finalizer of worker %zu failed\n", context_.index);
        }
    }
    drop_state();
    connection_.queue(farewell, result.buffer().bytes());
    outcomes_.tell();
}

} // namespace twat::mp::detail
