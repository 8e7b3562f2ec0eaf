// SPDX-License-Identifier: BSL-1.0
// Five ways for a task to fail, and what is told of each: who, where, and how to run it again.
//
//   five_failures [DIRECTORY]      keeps the calls there
#include <twat/mp.hpp>

#include <boost/exception/diagnostic_information.hpp>
#include <boost/throw_exception.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mp = twat::mp;
using namespace std::chrono_literals;

namespace {

struct node
{
    int value;
    const node* next;
};

// 1. A pointer that leads nowhere, some calls deep.
[[gnu::noinline]] int sum_of_list(const node* at, int depth)
{
    const int value = at->value; // where it crashes
    return depth == 0 ? value : value + sum_of_list(at->next, depth - 1);
}

int crash(int length)
{
    std::vector<node> list(static_cast<std::size_t>(length), node{1, nullptr});
    for (std::size_t i = 1; i < list.size(); ++i)
        list[i - 1].next = &list[i];
    return sum_of_list(list.data(), length); // one more than there are
}

// 2. A loop without an end.
std::atomic<int> steps = 0;

int search_for_ever(int step)
{
    while (steps.fetch_xor(step) >= 0) { // where it loops
    }
    return steps;
}

// 3. A mutex that its own thread holds.
std::mutex cache;

int read_cache(int key)
{
    const std::lock_guard lock(cache); // where it waits
    return key;
}

int update_cache(int key)
{
    const std::lock_guard lock(cache);
    return read_cache(key) + 1;
}

// 4. A task that sleeps.
int wait_for_nobody(int seconds)
{
    std::this_thread::sleep_for(std::chrono::seconds(seconds)); // where it sleeps
    return seconds;
}

// 5. A task that throws. BOOST_THROW_EXCEPTION keeps the place.
int check_age(int years)
{
    if (years > 150)
        BOOST_THROW_EXCEPTION(std::out_of_range("nobody is " + std::to_string(years) + " years")); // where it throws
    return years;
}

void report(const char* what, mp::process_pool& pool, int (*task)(int), int argument, mp::duration timeout)
{
    std::cout << "=== " << what << '\n';
    try {
        pool.with({.timeout = timeout}).apply(task, argument);
        std::cout << "it returned\n";
    }
    catch (...) {
        std::cout << boost::current_exception_diagnostic_information();
    }
    std::cout << '\n';
}

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        mp::pool_options options;
        options.nodes = 1;
        if (argc > 1)
            options.parcels.directory = argv[1];
        options.parcels.timeouts = options.parcels.exceptions = true;
        mp::process_pool pool(options);
        report("a crash", pool, crash, 20, {});
        report("an endless loop", pool, search_for_ever, 3, 300ms);
        report("a deadlock", pool, update_cache, 7, 300ms);
        report("a sleeper", pool, wait_for_nobody, 3600, 300ms);
        report("an exception", pool, check_age, 200, {});
    }
    catch (const std::exception& e) {
        std::cerr << "five_failures: " << e.what() << '\n';
        return 1;
    }
}
