// SPDX-License-Identifier: BSL-1.0
// W1: one trivial call at a time. What a call costs when nothing else happens; most of it is waking two threads.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include "child.hpp"
#include "families.hpp"
#include "run_coroutine.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

using message = std::int64_t;

void answer(int fd)
{
    message m;
    while (read_all(fd, &m, sizeof m)) {
        m = increment(m);
        write_all(fd, &m, sizeof m);
    }
}

measured blocking_socketpair(const effort& how)
{
    socket_pair pair;
    const forked_child child([&] {
        pair.here.close();
        answer(pair.there.get());
    });
    pair.there.close();
    const measured m = round_trips(how, [&](message i) {
        write_all(pair.here.get(), &i, sizeof i);
        read_all(pair.here.get(), &i, sizeof i);
        return i;
    });
    pair.here.close();
    return m;
}

/// As `read_all` of one message, after asking again and again for 50 us.
bool spinning_read(int fd, message& m)
{
    const auto end = clock::now() + std::chrono::microseconds(50);
    do {
        const ssize_t got = ::recv(fd, &m, sizeof m, MSG_DONTWAIT);
        if (got >= 0)
            return got > 0;
    } while (clock::now() < end);
    return read_all(fd, &m, sizeof m);
}

measured spinning_socketpair(const effort& how)
{
    socket_pair pair;
    const forked_child child([&] {
        pair.here.close();
        message m;
        while (spinning_read(pair.there.get(), m)) {
            m = increment(m);
            write_all(pair.there.get(), &m, sizeof m);
        }
    });
    pair.there.close();
    const measured m = round_trips(how, [&](message i) {
        write_all(pair.here.get(), &i, sizeof i);
        spinning_read(pair.here.get(), i);
        return i;
    });
    pair.here.close();
    return m;
}

/// Runs `awaited_round_trips` on `context`, and `end()` behind it, which lets the context run out of work.
template <class Call, class End>
measured run_round_trips(const effort& how, asio::io_context& context, Call call, End end)
{
    measured found;
    auto body = [&]() -> asio::awaitable<void> {
        found = co_await awaited_round_trips(how, call);
        end();
    };
    run_coroutine(context, body());
    return found;
}

measured asio_socketpair(const effort& how)
{
    socket_pair pair;
    const forked_child child([&] {
        pair.here.close();
        answer(pair.there.get());
    });
    pair.there.close();
    asio::io_context context(1);
    asio::local::stream_protocol::socket socket(context, asio::local::stream_protocol(), pair.here.release());
    auto call = [&](message i) -> asio::awaitable<message> {
        co_await asio::async_write(socket, asio::buffer(&i, sizeof i), asio::use_awaitable);
        co_await asio::async_read(socket, asio::buffer(&i, sizeof i), asio::use_awaitable);
        co_return i;
    };
    return run_round_trips(how, context, call, [&] { socket.close(); });
}

template <class Pool>
measured blocking_pool(const effort& how)
{
    Pool pool(2);
    pool.start();
    return round_trips(how, [&](message i) { return pool.apply(increment, i); });
}

measured spinning_pool(const effort& how)
{
    mp::pool_options options;
    options.nodes = 2;
    options.spin = std::chrono::microseconds(50);
    mp::process_pool pool(options);
    pool.start();
    return round_trips(how, [&](message i) { return pool.apply(increment, i); });
}

template <class Pool>
measured awaitable_pool(const effort& how)
{
    asio::io_context context(1);
    Pool pool(context, 2);
    auto call = [&](message i) { return pool.apply(increment, i); };
    return run_round_trips(how, context, call, [] {});
}

} // namespace

void add_w1(registry& rows)
{
    const std::string floor = "socketpair, Asio in the parent";
    rows.add({"w1", "socketpair, blocking", role::floor, blocking_socketpair});
    rows.add({"w1", floor, role::floor, asio_socketpair});
    rows.add({"w1", "socketpair, both spin 50 us", role::floor, spinning_socketpair});
    rows.add({"w1", "process_pool", role::ours, blocking_pool<mp::process_pool>, floor, 1.1});
    rows.add({"w1", "process_pool, spin 50 us", role::ours, spinning_pool, "socketpair, both spin 50 us", 1.5});
    rows.add({"w1", "async_multi_pool", role::ours, awaitable_pool<mp::async_multi_pool>, floor, 1.1});
    rows.add(
        {"w1", "thread_pool", role::ours, blocking_pool<mp::thread_pool>, "asio::thread_pool, post and future", 1.1});
    rows.add({"w1", "async_thread_pool", role::ours, awaitable_pool<mp::async_thread_pool>,
              "asio::thread_pool, co_await", 1.1});
}

} // namespace bench
