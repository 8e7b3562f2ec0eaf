// SPDX-License-Identifier: BSL-1.0
// program [OPTION]...: a program with pools and a monitor, for browser.py. It says the monitor's address and does what it reads from its standard input, a
// word a line, until that ends.
//
//   --processes N, --threads N   workers of the pools "renders" and "checks" (4, 2); 0: no such pool
//   --read-only                  viewers may do nothing
//   --token TOKEN                that they have to show
#include <twat/mp.hpp>
#include <twat/mp/monitor.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mp = twat::mp;
using namespace std::chrono_literals;

namespace {

int render(int ms)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < end && !mp::this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
    return ms;
}

[[gnu::noinline]] int read_pixel(const int* at) { return *at; }

int decode(int)
{
    volatile std::uintptr_t nowhere = 8; // nobody is to know that it crashes
    return read_pixel(reinterpret_cast<const int*>(nowhere));
}

int parse(int line) { throw std::invalid_argument("line " + std::to_string(line) + " has no <end>"); }

int hang(int)
{
    for (volatile bool on = true; on;)
        ;
    return 0;
}

int nothing(int x) { return x; }

struct program
{
    program(std::size_t processes, std::size_t threads, mp::monitor_options shown)
        : monitor(context, shown), thread([this] { context.run(); })
    {
        if (processes != 0) {
            mp::pool_options options;
            options.nodes = processes;
            options.measure_usage = true;
            options.parcels.timeouts = options.parcels.exceptions = true;
            renders.emplace(options);
            monitor.watch("renders", *renders);
        }
        if (threads != 0) {
            checks.emplace(threads);
            monitor.watch("checks", *checks);
        }
        std::cout << "http://127.0.0.1:" << monitor.port() << "/" << std::endl;
    }
    ~program()
    {
        storms = false;
        if (storm.joinable())
            storm.join();
        work.reset();
        monitor.stop();
        context.stop();
        thread.join();
        if (renders)
            renders->terminate();
    }

    template <class Function>
    void call(Function f, int x, const char* label, mp::call_options options = {})
    {
        options.label = label;
        auto& pool = *renders;
        results.push_back(pool.with(options).submit(f, x));
    }

    void obey(const std::string& word)
    {
        if (word == "slow")
            call(render, 60'000, "poster", {.tenant = {7}});
        else if (word == "work")
            for (int i = 0; i != 24; ++i)
                call(render, 150 + i * 37 % 300, i % 3 ? "thumbnail" : "poster", {.tenant = {std::uint64_t(i % 2)}});
        else if (word == "crash")
            call(decode, 4711, "decode");
        else if (word == "throw")
            call(parse, 12, "parse");
        else if (word == "timeout")
            call(hang, 0, "hang", {.timeout = 300ms});
        else if (word == "check")
            results.push_back(checks->with({.label = "check"}).submit(render, 400));
        else if (word == "small")
            checks->with({.label = "small"}).map(nothing, std::views::iota(0, 100'000));
        else if (word == "storm")
            storm = std::thread([this] { rage(); });
        else if (word == "unwatch")
            monitor.unwatch("checks");
        else
            std::cerr << "program: unknown word " << word << '\n';
    }

    /// 10^5 small tasks a second, beside some that throw, and a crash now and then.
    void rage()
    {
        auto next = std::chrono::steady_clock::now();
        for (std::size_t round = 0; storms; ++round) {
            std::this_thread::sleep_until(next += 200ms);
            done += checks->with({.label = "small"}).map(nothing, std::views::iota(0, 20'000)).size();
            checks->with({.label = "parse"}).try_map(parse, std::views::iota(0, 100));
            if (round % 50 == 0)
                renders->with({.label = "decode"}).try_map(decode, std::views::iota(0, 1));
        }
        std::cout << done << std::endl;
    }

    std::atomic<bool> storms{true};
    std::size_t done = 0;
    std::thread storm;
    boost::asio::io_context context;
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
        context.get_executor()};
    std::optional<mp::process_pool> renders;
    std::optional<mp::thread_pool> checks;
    std::vector<std::future<int>> results;
    mp::monitor monitor;
    std::thread thread;
};

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    std::size_t processes = 4, threads = 2;
    mp::monitor_options shown{.port = 0, .dumps = true, .records = true, .parcels = true};
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--read-only")
            shown.dumps = shown.records = shown.parcels = false;
        else if (option == "--processes" && i + 1 != argc)
            processes = std::strtoul(argv[++i], nullptr, 10);
        else if (option == "--threads" && i + 1 != argc)
            threads = std::strtoul(argv[++i], nullptr, 10);
        else if (option == "--token" && i + 1 != argc)
            shown.token = argv[++i];
    }
    program p(processes, threads, shown);
    for (std::string word; std::getline(std::cin, word);)
        p.obey(word);
}
