// SPDX-License-Identifier: BSL-1.0
// The less common verbs that pages show, run once.
#include <twat/mp.hpp>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <numeric>
#include <random>
#include <ranges>
#include <stop_token>
#include <thread>
#include <vector>

namespace mp = twat::mp;
using namespace std::chrono_literals;

void check(bool good)
{
    if (!good)
        std::abort();
}

int square(int x) { return x * x; }

// tag::chunked[]
int sum_of(const std::vector<int>& part) { return std::accumulate(part.begin(), part.end(), 0); }

std::vector<int> sums_of_tens(mp::process_pool& pool, const std::vector<int>& numbers)
{
    return pool.map(sum_of, mp::chunked(numbers, 10)); // each task gets ten elements
}
// end::chunked[]

// tag::products[]
double scalar_product(mp::process_pool& pool, const std::vector<double>& xs, const std::vector<double>& ys)
{
    return pool.transform_reduce(xs, ys, 0.0, std::plus<>(), std::multiplies<>()); // spelled as the standard does
}
// end::products[]

// tag::random[]
double throw_darts(int count) // a part of the circle's area in the square's
{
    std::uniform_real_distribution<double> side(0, 1);
    auto& random = mp::this_task::rng(); // of this task: the same numbers in each run, on any pool
    int hits = 0;
    for (int i = 0; i < count; ++i) {
        const double x = side(random), y = side(random);
        hits += x * x + y * y < 1;
    }
    return double(hits) / count;
}

double estimate_pi(mp::process_pool& pool)
{
    const std::vector<int> throws(8, 10'000);
    return 4 * pool.with({.seed = 42}).reduce(throw_darts, std::plus<>(), 0.0, throws) / 8;
}
// end::random[]

// tag::reads[]
int read_when_ready(mp::process_pool& pool)
{
    int seen = 0;
    auto squares = pool.imap(square, std::views::iota(0, 100));
    while (!squares.ended()) {
        while (auto result = squares.try_next()) // what is there, without waiting
            seen += *result >= 0;
        if (auto result = squares.next_for(100ms)) // nothing if none came in that time, or at the end
            seen += *result >= 0;
        // time for something else
    }
    return seen;
}
// end::reads[]

// tag::stop[]
int wait_to_be_stopped(int x)
{
    while (!mp::this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
    return x;
}

bool stop_from_another_thread(mp::process_pool& pool)
{
    std::stop_source source;
    std::jthread other([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    try {
        pool.map(wait_to_be_stopped, std::views::iota(0, 10), source.get_token()); // behind the ranges
        return false;
    } catch (const boost::system::system_error& e) {
        return e.code() == boost::asio::error::operation_aborted;
    }
}
// end::stop[]

// tag::completed[]
int sum_as_completed(mp::process_pool& pool)
{
    std::vector<mp::future<int>> futures;
    for (int i = 0; i < 10; ++i)
        futures.push_back(pool.submit(square, i));
    int sum = 0;
    for (auto& future : mp::as_completed(futures)) // each as soon as it is ready
        sum += future.get();
    return sum;
}
// end::completed[]

// tag::restart[]
int with_new_workers(mp::process_pool& pool)
{
    pool.join();    // takes no more work
    pool.restart(); // begins anew, with the same options
    return pool.apply(square, 5);
}
// end::restart[]

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    mp::process_pool pool(2);
    std::vector<int> numbers(100, 1);
    check(sums_of_tens(pool, numbers) == std::vector<int>(10, 10));
    check(scalar_product(pool, {1, 2, 3}, {4, 5, 6}) == 32);
    const double pi = estimate_pi(pool);
    check(pi > 3.1 && pi < 3.2 && pi == estimate_pi(pool));
    check(read_when_ready(pool) == 100);
    check(stop_from_another_thread(pool));
    check(sum_as_completed(pool) == 285);
    check(with_new_workers(pool) == 25);
    std::cout << "ok\n";
}
