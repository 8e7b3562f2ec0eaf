// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_SERVED_WORKER_HPP
#define TWAT_MP_TEST_COMMON_SERVED_WORKER_HPP

#include <twat/mp/codec.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/detail/function/encode_function.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "memory_page.hpp"
#include "process/held_chunks.hpp"
#include "wire/exception.hpp"
#include "wire/messages.hpp"
#include "function/module.hpp"
#include "worker/connection.hpp"
#include "worker/server.hpp"

namespace twat::mp::test {

struct socket_ends
{
    socket_ends()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
            throw std::runtime_error("socketpair");
    }
    socket_ends(const socket_ends&) = delete;
    ~socket_ends()
    {
        close(0);
        close(1);
    }
    void close(int end)
    {
        if (fd[end] != -1)
            ::close(std::exchange(fd[end], -1));
    }

    int fd[2];
};

/// One task's outcome as it arrived.
struct outcome
{
    detail::record_kind kind;
    std::uint32_t position;
    std::string bytes;

    template <class T>
    T value() const
    {
        if (kind != detail::record_kind::value)
            rethrow();
        decoder in(std::as_bytes(std::span(bytes)));
        return in.read<T>();
    }
    void rethrow() const
    {
        decoder in(std::as_bytes(std::span(bytes)));
        std::rethrow_exception(detail::decode_exception(in, position, ::getpid()));
    }
};

/// Appends the arguments of one task.
template <class... Args>
void add_task(detail::encoded_payload& to, const Args&... args)
{
    encoder out;
    (out.write(args), ...);
    to.buffer().append(out.bytes().data(), out.bytes().size());
    to.end_task();
}

/** A worker that serves in a thread of this process, and the parent that it talks to: the test. */
class served_worker
{
public:
    static constexpr std::uint64_t nonce = 1234;
    static constexpr std::size_t max_message_size = std::size_t(1) << 24;

    served_worker()
        : page_(detail::shared_page::create(file_.fd, layout)), held_(page_), ring_(page_),
          server_(ends_.fd[1], file_.fd, nonce)
    {
        thread_ = std::thread([this] {
            try {
                server_.run();
            }
            catch (...) {
                thrown = std::current_exception();
                ::shutdown(ends_.fd[1], SHUT_RDWR); // as its end would: the test does not wait for it
            }
        });
    }

    ~served_worker()
    {
        if (thread_.joinable()) {
            ::shutdown(ends_.fd[0], SHUT_RDWR);
            thread_.join();
        }
    }

    /// Waits until the worker has ended.
    void join() { thread_.join(); }
    void hang_up() { ::shutdown(ends_.fd[0], SHUT_RDWR); }

    int worker_end() const { return ends_.fd[1]; }
    detail::worker_connection& connection() { return parent_; }
    detail::worker_server& server() { return server_; }
    detail::held_chunks& held() { return held_; }

    void send(detail::frame_header header, std::span<const std::byte> bytes = {})
    {
        parent_.queue(header, bytes);
        parent_.flush();
    }

    void say_hello(detail::hello_message hello)
    {
        detail::byte_buffer bytes;
        detail::write_hello(bytes, hello);
        send({detail::frame_type::hello, 0, 0, 0}, bytes.bytes());
    }

    static detail::hello_message usual_hello()
    {
        detail::hello_message hello;
        hello.version = detail::protocol_version;
        hello.node = 3;
        hello.nodes = 4;
        hello.child_concurrency = 16;
        hello.max_message_size = max_message_size;
        hello.build = detail::build_id();
        return hello;
    }

    /// The next frame that is not about outcomes; those are kept.
    detail::frame_header await_frame(std::string* bytes = nullptr)
    {
        for (;;) {
            drain_ring();
            while (const auto arrived = parent_.next()) {
                if (arrived->header.type == detail::frame_type::published)
                    continue;
                if (arrived->header.type == detail::frame_type::result) {
                    auto rest = arrived->bytes;
                    keep(*detail::take_record(rest));
                    continue;
                }
                if (bytes)
                    bytes->assign(reinterpret_cast<const char*>(arrived->bytes.data()), arrived->bytes.size());
                return arrived->header;
            }
            parent_.read();
        }
    }

    /// Says hello and waits until the worker is ready.
    void get_ready(detail::hello_message hello = usual_hello())
    {
        say_hello(hello);
        if (await_frame().type != detail::frame_type::hello_reply || await_frame().type != detail::frame_type::ready)
            throw std::runtime_error("the worker is not ready");
    }

    template <class... Args, class F>
    void send_function(std::uint64_t op, const F& f)
    {
        const detail::attached_bytes function = detail::encode_function<F, Args...>(f, false);
        send({detail::frame_type::function, 0, op, 0}, function.bytes.bytes());
    }

    /// Makes a chunk, which `send_chunk` sends.
    std::shared_ptr<detail::chunk> make_chunk(std::uint64_t op, std::unique_ptr<detail::encoded_payload> tasks)
    {
        auto made = std::make_shared<detail::chunk>();
        made->id = ++last_chunk_;
        made->op_id = op;
        made->count = tasks->size();
        made->tasks = std::move(tasks);
        return made;
    }

    void send_chunk(const detail::chunk& work)
    {
        const detail::process_chunk& held = held_.add(work);
        const auto& tasks = static_cast<const detail::encoded_payload&>(*work.tasks);
        detail::chunk_message message;
        message.op = work.op_id;
        message.first = work.first;
        message.timeout = work.timeout;
        if (work.deadline != detail::time_point::max())
            message.remaining = work.deadline - detail::clock::now();
        message.count = held.count;
        message.slot = held.slot;
        message.coroutine = work.coroutine;
        detail::byte_buffer bytes;
        detail::write_chunk_start(bytes, work.id, message, tasks);
        parent_.send(bytes.bytes(), tasks.bytes());
    }

    /// Sends one chunk whose tasks have one argument each; returns its id.
    template <class T>
    std::uint64_t send_tasks(std::uint64_t op, const std::vector<T>& arguments, bool coroutine = false)
    {
        auto tasks = std::make_unique<detail::encoded_payload>();
        for (const T& argument : arguments)
            add_task(*tasks, argument);
        const auto work = make_chunk(op, std::move(tasks));
        work->coroutine = coroutine;
        send_chunk(*work);
        return work->id;
    }

    /// Waits until a chunk has ended, and returns its outcomes.
    std::vector<outcome> await_chunk(std::uint64_t id)
    {
        while (!ended_.contains(id)) {
            drain_ring();
            while (const auto arrived = parent_.next())
                if (arrived->header.type == detail::frame_type::result) {
                    auto rest = arrived->bytes;
                    keep(*detail::take_record(rest));
                }
            if (!ended_.contains(id))
                parent_.read();
        }
        return outcomes_[id];
    }

    bool has_ended(std::uint64_t id)
    {
        drain_ring();
        return ended_.contains(id);
    }

    std::exception_ptr thrown; ///< What the worker threw.

private:
    static constexpr detail::page_layout layout{64, 256 * 1024};

    void drain_ring()
    {
        detail::byte_buffer bytes;
        ring_.drain(bytes);
        auto rest = bytes.bytes();
        while (const auto what = records_.next(rest))
            keep(*what);
    }

    void keep(const detail::record& what)
    {
        held_.note(what);
        if (what.kind == detail::record_kind::ended)
            ended_[what.chunk] = true;
        for (std::uint32_t i = 0; what.kind != detail::record_kind::ended && i < what.count; ++i) {
            const auto* const at = what.bytes.data() + i * (what.bytes.size() + detail::short_header_size);
            outcomes_[what.chunk].push_back(
                {what.kind, what.position + i, {reinterpret_cast<const char*>(at), what.bytes.size()}});
        }
    }

    socket_ends ends_;
    memory_file file_{layout};
    detail::shared_page page_;
    detail::held_chunks held_;
    detail::ring_reader ring_;
    detail::record_reader records_;
    detail::worker_connection parent_{ends_.fd[0]};
    detail::worker_server server_;
    std::uint64_t last_chunk_ = 0;
    std::map<std::uint64_t, std::vector<outcome>> outcomes_;
    std::map<std::uint64_t, bool> ended_;
    std::thread thread_;
};

} // namespace twat::mp::test

#endif
