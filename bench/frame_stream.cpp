// SPDX-License-Identifier: BSL-1.0
#include "frame_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace bench {

namespace {

struct header
{
    std::uint32_t size;
    std::uint32_t id;
};

constexpr std::size_t buffer_size = 256 * 1024;
constexpr std::size_t write_size = 64 * 1024; // frames are collected up to this before they are written

/// Bytes that were read, and the whole frames among them.
class inbox
{
public:
    /// Reads once. Returns false at the end of the stream.
    bool fill(int fd)
    {
        const ssize_t got = ::read(fd, bytes_.data() + filled_, bytes_.size() - filled_);
        if (got < 0)
            fail("read");
        filled_ += static_cast<std::size_t>(got);
        return got > 0;
    }

    /// Calls `take(frame, data)` for each whole frame and drops it. Grows for a frame that is larger than the buffer.
    template <class Take>
    void drain(Take take)
    {
        std::size_t at = 0;
        while (filled_ - at >= sizeof(header)) {
            header frame;
            std::memcpy(&frame, bytes_.data() + at, sizeof frame);
            const std::size_t whole = sizeof frame + frame.size;
            if (filled_ - at < whole) {
                if (bytes_.size() < whole)
                    bytes_.resize(whole);
                break;
            }
            take(frame, bytes_.data() + at + sizeof frame);
            at += whole;
        }
        std::memmove(bytes_.data(), bytes_.data() + at, filled_ - at);
        filled_ -= at;
    }

private:
    std::vector<char> bytes_ = std::vector<char>(buffer_size);
    std::size_t filled_ = 0;
};

void serve(int fd, const frame_stream::function& run)
{
    inbox in;
    std::vector<char> out;
    while (in.fill(fd)) {
        out.clear();
        in.drain([&](const header& frame, char* data) {
            run(data, frame.size);
            out.insert(out.end(), data - sizeof frame, data + frame.size);
        });
        write_all(fd, out.data(), out.size());
    }
}

} // namespace

struct frame_stream::worker
{
    descriptor socket;
    forked_child child;
    inbox in{};
    std::vector<char> out{};
    std::size_t written = 0;
    std::uint32_t on_their_way = 0;

    bool all_written() const noexcept { return written == out.size(); }

    /// Writes what can be written without waiting.
    void flush()
    {
        while (!all_written()) {
            const ssize_t n = ::write(socket.get(), out.data() + written, out.size() - written);
            if (n < 0) {
                if (errno == EAGAIN)
                    return;
                fail("write");
            }
            written += static_cast<std::size_t>(n);
        }
        out.clear();
        written = 0;
    }
};

frame_stream::frame_stream(std::size_t workers, function run)
{
    workers_.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i) {
        socket_pair pair;
        forked_child child([&] {
            // The ends of the others must be open in the parent alone, or their workers never see the end.
            for (worker& other : workers_)
                other.socket.close();
            pair.here.close();
            serve(pair.there.get(), run);
        });
        ::fcntl(pair.here.get(), F_SETFL, O_NONBLOCK);
        workers_.push_back(worker{std::move(pair.here), std::move(child)});
    }
}

frame_stream::~frame_stream()
{
    for (worker& w : workers_)
        w.socket.close();
}

void frame_stream::map(std::uint32_t count, std::uint32_t window,
                       const std::function<void(std::uint32_t, std::vector<char>&)>& source,
                       const std::function<void(std::uint32_t, const char*, std::size_t)>& sink)
{
    std::uint32_t next = 0;
    std::uint32_t done = 0;
    std::vector<pollfd> polled(workers_.size());
    while (done < count) {
        for (worker& w : workers_) {
            while (next < count && w.on_their_way < window && w.out.size() - w.written < write_size) {
                const std::size_t at = w.out.size();
                w.out.resize(at + sizeof(header));
                source(next, w.out);
                const header frame{static_cast<std::uint32_t>(w.out.size() - at - sizeof(header)), next};
                std::memcpy(w.out.data() + at, &frame, sizeof frame);
                ++next;
                ++w.on_their_way;
            }
            w.flush();
        }
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            const short events = workers_[i].all_written() ? POLLIN : POLLIN | POLLOUT;
            polled[i] = {workers_[i].socket.get(), events, 0};
        }
        if (::poll(polled.data(), polled.size(), -1) < 0)
            fail("poll");
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            if (!(polled[i].revents & (POLLIN | POLLHUP)))
                continue;
            worker& w = workers_[i];
            if (!w.in.fill(w.socket.get()))
                throw std::runtime_error("a worker of the floor died");
            w.in.drain([&](const header& frame, const char* data) {
                sink(frame.id, data, frame.size);
                ++done;
                --w.on_their_way;
            });
        }
    }
}

void map_integers(frame_stream& stream, const std::vector<std::int64_t>& in, std::vector<std::int64_t>& out,
                  std::size_t chunk, std::uint32_t window)
{
    const std::size_t chunks = (in.size() + chunk - 1) / chunk;
    stream.map(
        static_cast<std::uint32_t>(chunks), window,
        [&](std::uint32_t id, std::vector<char>& bytes) {
            const std::size_t begin = id * chunk;
            const std::size_t size = std::min(chunk, in.size() - begin);
            const auto data = reinterpret_cast<const char*>(in.data() + begin);
            bytes.insert(bytes.end(), data, data + size * sizeof(std::int64_t));
        },
        [&](std::uint32_t id, const char* data, std::size_t size) {
            std::memcpy(out.data() + id * chunk, data, size);
        });
}

frame_stream::function for_each_integer(std::int64_t (*f)(std::int64_t))
{
    return [f](char* data, std::size_t size) {
        for (std::size_t at = 0; at < size; at += sizeof(std::int64_t)) {
            std::int64_t x;
            std::memcpy(&x, data + at, sizeof x);
            x = f(x);
            std::memcpy(data + at, &x, sizeof x);
        }
    };
}

} // namespace bench
