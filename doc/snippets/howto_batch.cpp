// SPDX-License-Identifier: BSL-1.0
// What the how-to pages for programs that wait show, run once.
#include <twat/mp.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <ranges>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;

void check(bool good)
{
    if (!good)
        std::abort();
}

// tag::arrays[]
mp::shared_vector<float> brighten(mp::shared_vector<float> pixels) // the very elements of the caller, not a copy
{
    for (float& x : pixels)
        x += 1;
    return pixels;
}

void large_arrays(mp::process_pool& pool)
{
    std::vector<mp::shared_vector<float>> pictures;
    for (int i = 0; i < 4; ++i)
        pictures.emplace_back(1u << 18); // zeroes, in memory that the workers map, too
    pictures = pool.map(brighten, std::move(pictures));
    check(pictures[3][7] == 1);
}
// end::arrays[]

// tag::slices[]
void brighten_rows(mp::shared_span<float> rows) // a part of the caller's array
{
    for (float& x : rows)
        x += 1;
}

float brightest(mp::shared_span<const float> part) { return *std::ranges::max_element(part); }

void slices_of_an_array(mp::process_pool& pool)
{
    mp::shared_vector<float> picture(1u << 18);
    pool.for_each(brighten_rows, mp::slices(picture, 8)); // eight parts that do not overlap
    const mp::shared_span<const float> upper_half(picture, 0, picture.size() / 2);
    check(pool.apply(brightest, upper_half) == 1);
}
// end::slices[]

// tag::folded[]
asio::awaitable<long> length_of_page(int number) // as long as a server takes to answer
{
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return number;
}

long length_of_all(mp::process_pool& pool)
{
    return pool.reduce(length_of_page, std::plus<>(), 0L, std::views::iota(0, 100)); // 16 wait in each worker at a time
}
// end::folded[]

// tag::resumed[]
double inverse(int x) { return 1.0 / x; }

double sum_of_inverses(mp::process_pool& pool, const std::filesystem::path& journal)
{
    // A later run finds the parts of the range again, with any number of workers, and goes through those that are not in the journal.
    return pool.with({.deterministic = true})
        .journal(journal)
        .reduce(inverse, std::plus<>(), 0.0, std::views::iota(1, 100'000));
}
// end::resumed[]

// tag::interrupt[]
std::atomic<bool> interrupted = false; // lock-free, so a signal handler may set it
int check_number(int x) { return x % 7; }

int until_interrupted(mp::process_pool& pool)
{
    std::signal(SIGINT, [](int) { interrupted = true; });
    int done = 0;
    for (int result : pool.uimap(check_number, std::views::iota(0))) { // without end
        done += result >= 0;
        if (interrupted)
            break; // the range is destroyed: what runs is cancelled, what has not begun is dropped
    }
    return done;
}
// end::interrupt[]

// tag::nested[]
int weigh(int x) { return x * 2; }

int sum_of_parts(int x) // in a worker
{
    static mp::thread_pool threads; // made once in each worker, with its share of the CPUs
    const std::vector<int> parts{x, x + 1, x + 2};
    int sum = 0;
    for (int y : threads.map(weigh, parts))
        sum += y;
    return sum;
}
// end::nested[]

// tag::sandbox[]
bool confined() // in a worker
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

void sandboxed()
{
    // In Linux a sandbox belongs to a thread, and workers have that of the thread which makes their pool, for as long as the pool lives.
    std::thread([] {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); // seccomp filters, Landlock rules, namespaces and capabilities go here
        mp::process_pool pool(1);
        check(pool.apply(confined));
    }).join();
    check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0); // the rest of the program is as it was
}
// end::sandbox[]

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    mp::process_pool pool(2);
    large_arrays(pool);
    slices_of_an_array(pool);
    check(length_of_all(pool) == 4950);
    const std::filesystem::path journal = "howto_batch.journal";
    std::filesystem::remove(journal);
    const double sum = sum_of_inverses(pool, journal);
    check(sum > 12 && sum_of_inverses(pool, journal) == sum && pool.stats().resumed > 1000);
    std::filesystem::remove(journal);
    check(pool.apply(sum_of_parts, 1) == 12);
    std::thread ctrl_c([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        interrupted = true; // what the handler does
    });
    check(until_interrupted(pool) >= 1);
    ctrl_c.join();
    sandboxed();
    std::cout << "ok\n";
}
