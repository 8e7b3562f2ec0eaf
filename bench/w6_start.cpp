// SPDX-License-Identifier: BSL-1.0
// W6: two workers from nothing to the first result, and to their end. The floor starts this program twice and waits for main.
#include "w6_start.hpp"

#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "child.hpp"
#include "families.hpp"
#include "run_coroutine.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

constexpr char marker[] = "--started-by-floor";
constexpr int socket_of_child = 3;

struct start_and_stop
{
    double start = 0;
    double stop = 0;
};

/// One kind of pool, from nothing to its end, and how long both took.
using life = start_and_stop (*)();

class spawned
{
public:
    spawned()
    {
        socket_pair pair;
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, pair.there.get(), socket_of_child);
        char self[] = "/proc/self/exe";
        char argument[sizeof marker];
        std::memcpy(argument, marker, sizeof marker);
        char* const arguments[] = {self, argument, nullptr};
        errno = ::posix_spawn(&pid_, self, &actions, nullptr, arguments, ::environ); // with vfork, in glibc
        ::posix_spawn_file_actions_destroy(&actions);
        if (errno != 0)
            fail("posix_spawn");
        socket_ = std::move(pair.here);
    }

    void wait_for_answer()
    {
        char c = 0;
        write_all(socket_.get(), &c, 1);
        read_all(socket_.get(), &c, 1);
    }
    void close() { socket_.close(); }
    void reap() { ::waitpid(pid_, nullptr, 0); }

private:
    descriptor socket_;
    pid_t pid_ = 0;
};

start_and_stop life_of_two_processes()
{
    start_and_stop took;
    std::optional<std::array<spawned, 2>> two;
    took.start = time_of([&] {
        two.emplace();
        two->front().wait_for_answer();
    });
    for (spawned& one : *two) // an idle pool is stopped, not one that still starts
        one.wait_for_answer();
    took.stop = time_of([&] {
        for (spawned& one : *two)
            one.close();
        for (spawned& one : *two)
            one.reap();
    });
    return took;
}

template <class Pool>
start_and_stop life_of_blocking_pool()
{
    start_and_stop took;
    std::optional<Pool> pool;
    took.start = time_of([&] {
        pool.emplace(2);
        pool->apply(increment, std::int64_t(1));
    });
    pool->start();
    took.stop = time_of([&] { pool.reset(); });
    return took;
}

template <class Pool>
start_and_stop life_of_awaitable_pool()
{
    start_and_stop took;
    asio::io_context context(1);
    auto body = [&]() -> asio::awaitable<void> {
        const auto begin = clock::now();
        Pool pool(context, 2);
        co_await pool.apply(increment, std::int64_t(1));
        took.start = seconds_since(begin);
        co_await pool.start();
        const auto idle = clock::now();
        co_await pool.join();
        took.stop = seconds_since(idle);
    };
    run_coroutine(context, body());
    return took;
}

std::vector<start_and_stop> lives(const effort& how, life once)
{
    std::vector<start_and_stop> all;
    const int rounds = how.of(30, 5);
    for (int i = 0; i <= rounds; ++i) {
        all.push_back(once());
        if (i == 0)
            all.clear(); // the first one reads the program from disk
    }
    return all;
}

template <double start_and_stop::*Part>
measured ms(const std::vector<start_and_stop>& all)
{
    std::vector<double> part;
    for (const start_and_stop& one : all)
        part.push_back(one.*Part * 1e3);
    return {median(part), {{"p90", quantile(part, 0.9)}}};
}

/// The rows of one contestant in the three workloads of this family.
void add_life(registry& rows, const std::string& name, role what, life once, const std::string& baseline, double goal,
              double goal_of_stop)
{
    rows.add({"w6", name, what, [once](const effort& how) { return ms<&start_and_stop::start>(lives(how, once)); },
              baseline, goal});
    rows.add({"w6-1gib", name, what,
              [once](const effort& how) {
                  const std::vector<char> heap(how.of(std::size_t(1) << 30, std::size_t(1) << 26), 1);
                  const measured m = ms<&start_and_stop::start>(lives(how, once));
                  if (heap.back() != 1)
                      throw std::runtime_error("the heap is gone");
                  return m;
              },
              baseline, goal});
    rows.add({"w6-stop", name, what, [once](const effort& how) { return ms<&start_and_stop::stop>(lives(how, once)); },
              "", goal_of_stop});
}

} // namespace

bool answer_if_started_by_floor(int argc, char** argv)
{
    if (argc != 2 || std::strcmp(argv[1], marker) != 0)
        return false;
    for (char c; read_all(socket_of_child, &c, 1);)
        write_all(socket_of_child, &c, 1);
    return true;
}

void add_w6(registry& rows)
{
    const std::string floor = "this program, vfork and exec";
    add_life(rows, floor, role::floor, life_of_two_processes, "", 0, 0);
    add_life(rows, "process_pool", role::ours, life_of_blocking_pool<mp::process_pool>, floor, 1.3, 1);
    add_life(rows, "async_multi_pool", role::ours, life_of_awaitable_pool<mp::async_multi_pool>, floor, 1.3, 1);
    add_life(rows, "thread_pool", role::ours, life_of_blocking_pool<mp::thread_pool>, "", 0, 0);
}

} // namespace bench
