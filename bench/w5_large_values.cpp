// SPDX-License-Identifier: BSL-1.0
// W5: large values there and back. Both ways count; memory that is touched for the first time costs more than copying.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/shared_vector.hpp>

#include <cstring>
#include <stdexcept>

#include "awaited.hpp"
#include "child.hpp"
#include "families.hpp"
#include "faults.hpp"
#include "frame_stream.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

using bytes = std::vector<char>;

constexpr std::size_t large = 64u << 20;
constexpr std::size_t block = 64u << 10;
constexpr std::size_t blocks = 1000;

bytes echo(bytes value) { return value; }

/// `once()` moves `size` bytes there and back. The value is in GB/s.
template <class Once>
measured rate(const effort& how, std::size_t size, Once once, std::size_t items = 1)
{
    const int rounds = how.of(7, 2);
    std::vector<double> found, faults;
    for (int i = 0; i <= rounds; ++i) {
        const double faults_before = page_faults();
        const double time = time_of(once);
        if (i > 0) { // the first one touches the pages
            found.push_back(2.0 * static_cast<double>(size) / time / 1e9);
            faults.push_back((page_faults() - faults_before) / static_cast<double>(items));
        }
    }
    return {median(found), {{"faults_an_item", median(faults)}}};
}

measured two_copies(const effort& how)
{
    const bytes from(large, 1);
    bytes between(large, 2);
    bytes to(large, 3);
    return rate(how, large, [&] {
        std::memcpy(between.data(), from.data(), large);
        std::memcpy(to.data(), between.data(), large);
    });
}

/// Pages that both sides keep mapped: copied in, copied by the worker, copied out.
measured kept_shared_pages(const effort& how)
{
    char* const pages = static_cast<char*>(shared_memory(2 * large));
    const bytes from(large, 1);
    bytes to(large, 2);
    socket_pair pair;
    const forked_child child([&] {
        pair.here.close();
        for (char c; read_all(pair.there.get(), &c, 1); write_all(pair.there.get(), &c, 1))
            std::memcpy(pages + large, pages, large);
    });
    pair.there.close();
    const measured m = rate(how, large, [&] {
        char c = 0;
        std::memcpy(pages, from.data(), large);
        write_all(pair.here.get(), &c, 1);
        read_all(pair.here.get(), &c, 1);
        std::memcpy(to.data(), pages + large, large);
    });
    pair.here.close();
    return m;
}

/// The same pages, but nothing is copied into or out of them: the worker copies one half to the other.
measured shared_pages_in_place(const effort& how)
{
    char* const pages = static_cast<char*>(shared_memory(2 * large));
    socket_pair pair;
    const forked_child child([&] {
        pair.here.close();
        for (char c; read_all(pair.there.get(), &c, 1); write_all(pair.there.get(), &c, 1))
            std::memcpy(pages + large, pages, large);
    });
    pair.there.close();
    std::memset(pages, 1, 2 * large);
    const measured m = rate(how, large, [&] {
        char c = 0;
        write_all(pair.here.get(), &c, 1);
        read_all(pair.here.get(), &c, 1);
    });
    pair.here.close();
    return m;
}

measured socketpair(const effort& how)
{
    socket_pair pair;
    const forked_child child([&] {
        pair.here.close();
        bytes value(large);
        while (read_all(pair.there.get(), value.data(), large))
            write_all(pair.there.get(), value.data(), large);
    });
    pair.there.close();
    const bytes from(large, 1);
    bytes to(large, 2);
    const measured m = rate(how, large, [&] {
        write_all(pair.here.get(), from.data(), large);
        read_all(pair.here.get(), to.data(), large);
    });
    pair.here.close();
    return m;
}

measured framed_socketpairs(const effort& how)
{
    frame_stream workers(2, [](char*, std::size_t) {});
    const bytes from(block, 1);
    bytes to(block * blocks, 2);
    return rate(
        how, block * blocks,
        [&] {
            workers.map(
                blocks, 2, [&](std::uint32_t, bytes& out) { out.insert(out.end(), from.begin(), from.end()); },
                [&](std::uint32_t id, const char* data, std::size_t size) {
                    std::memcpy(to.data() + id * block, data, size);
                });
        },
        blocks);
}

void check_echo(const bytes& value, std::size_t size)
{
    if (value.size() != size || value.front() != 1 || value.back() != 1)
        throw std::runtime_error("a result is wrong");
}

template <class Pool>
measured blocking_large(const effort& how)
{
    Pool pool(2);
    pool.start();
    bytes value(large, 1);
    const measured m = rate(how, large, [&] { value = pool.apply(echo, std::move(value)); });
    check_echo(value, large);
    return m;
}

template <class Pool>
measured awaitable_large(const effort& how)
{
    awaited<Pool> loop(2);
    bytes value(large, 1);
    const measured m =
        rate(how, large, [&] { value = loop.wait([&](Pool& pool) { return pool.apply(echo, std::move(value)); }); });
    check_echo(value, large);
    return m;
}

mp::shared_vector<char> copy_to_the_other_half(mp::shared_vector<char> pages)
{
    std::memcpy(pages.data() + large, pages.data(), large);
    return pages;
}

template <class Pool>
measured blocking_shared(const effort& how)
{
    Pool pool(1);
    pool.start();
    mp::shared_vector<char> pages(2 * large);
    std::memset(pages.data(), 1, 2 * large);
    const measured m = rate(how, large, [&] { pages = pool.apply(copy_to_the_other_half, std::move(pages)); });
    if (pages.size() != 2 * large || pages[2 * large - 1] != 1)
        throw std::runtime_error("a result is wrong");
    return m;
}

template <class Pool>
measured blocking_many(const effort& how)
{
    Pool pool(2);
    pool.start();
    const std::vector<bytes> values(blocks, bytes(block, 1));
    std::vector<bytes> results;
    const measured m = rate(
        how, block * blocks, [&] { results = pool.map(echo, values); }, blocks);
    check_echo(results.back(), block);
    return m;
}

template <class Pool>
measured awaitable_many(const effort& how)
{
    awaited<Pool> loop(2);
    const std::vector<bytes> values(blocks, bytes(block, 1));
    std::vector<bytes> results;
    const measured m = rate(
        how, block * blocks, [&] { results = loop.wait([&](Pool& pool) { return pool.map(echo, values); }); }, blocks);
    check_echo(results.back(), block);
    return m;
}

} // namespace

void add_w5(registry& rows)
{
    const std::string kept = "shared pages, kept";
    rows.add({"w5", "memcpy, twice", role::floor, two_copies});
    rows.add({"w5", kept, role::floor, kept_shared_pages});
    rows.add({"w5", "socketpair", role::floor, socketpair});
    rows.add({"w5", "process_pool", role::ours, blocking_large<mp::process_pool>, kept, 0.9});
    rows.add({"w5", "async_multi_pool", role::ours, awaitable_large<mp::async_multi_pool>, kept, 0.9});

    const std::string in_place = "shared pages, in place";
    rows.add({"w5", in_place, role::floor, shared_pages_in_place});
    rows.add({"w5", "process_pool, shared_vector", role::ours, blocking_shared<mp::process_pool>, in_place, 0.9});

    const std::string framed = "socketpairs, framed";
    rows.add({"w5-many", framed, role::floor, framed_socketpairs});
    rows.add({"w5-many", "process_pool", role::ours, blocking_many<mp::process_pool>, framed, 0.9});
    rows.add({"w5-many", "async_multi_pool", role::ours, awaitable_many<mp::async_multi_pool>, framed, 0.9});
}

} // namespace bench
