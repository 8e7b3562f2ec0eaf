// SPDX-License-Identifier: BSL-1.0
// Counts the words of all files in a folder, in worker processes, into a SQLite database. Ctrl-C and kill -9 lose nothing that was counted.
//
//   settings  the command line
//   count     the task: counts the words of one file, in a worker
//   database  the result
#include <twat/mp/async_pool.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/progress_bar.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <ranges>
#include <string>
#include <vector>

#include "count.hpp"
#include "database.hpp"
#include "settings.hpp"

namespace {

namespace asio = boost::asio;
namespace mp = twat::mp;
using wordcount::word_counts;

constexpr int interrupted = 130; // as a shell says it of a program that Ctrl-C ended

/// In an order that is the same in each run, so that the journal knows them by their positions.
std::vector<std::string> files_below(const std::string& folder)
{
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             folder, std::filesystem::directory_options::skip_permission_denied))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

void add(word_counts& sum, const word_counts& counts)
{
    for (const auto& [word, count] : counts)
        sum[word] += count;
}

/// The first Ctrl-C lets the files that are being read come to their end, the second one does not.
void watch(asio::signal_set& signals, mp::async_multi_pool& pool, bool& stopping)
{
    signals.async_wait([&](const boost::system::error_code& ec, int) {
        if (ec)
            return;
        if (std::exchange(stopping, true))
            return pool.terminate();
        std::cerr << "\nwordcount: finishing what is being read; again to stop at once\n";
        watch(signals, pool, stopping);
    });
}

// tag::job[]
asio::awaitable<int> count_words(const wordcount::settings& s)
{
    const std::vector<std::string> files = files_below(s.folder);
    mp::pool_options options;
    options.nodes = s.workers;
    mp::async_multi_pool pool(co_await asio::this_coro::executor, options);

    bool stopping = false; // the flag: nothing more is read from the list of files
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    watch(signals, pool, stopping);
    auto wanted = files | std::views::take_while([&](const std::string&) { return !stopping; });

    mp::progress_bar bar("counting");
    auto tell = [&](mp::progress now) {
        now.total = files.size();
        if (!s.quiet)
            bar(now);
    };
    mp::call_options call;
    call.retries = 1; // a worker may be killed by the out-of-memory killer
    auto journaled = pool.with(call).on_progress(std::ref(tell)).journal(s.journal());
    auto results = journaled.uimap(wordcount::count_file, wanted);

    word_counts sum;
    std::vector<std::string> failures;
    for (bool more = true; more;) {
        try {
            const auto counts = co_await results.next(); // what was counted is in the journal by now
            more = counts.has_value();
            if (more)
                add(sum, *counts);
        }
        catch (const std::exception& e) {
            if (mp::code_of(std::current_exception()) == mp::errc::pool_terminated)
                break;
            if (!mp::task_index(std::current_exception()))
                throw; // no file's failure: the journal is of another build, say
            failures.push_back(e.what());
        }
    }
    signals.cancel();
    pool.close();
    if (stopping) {
        std::cerr << "wordcount: stopped; the same command goes on where it was\n";
        co_return interrupted;
    }
    for (const std::string& failure : failures)
        std::cerr << "wordcount: " << failure << '\n';
    wordcount::write_database(s.output, sum);
    std::filesystem::remove(s.journal());
    co_return failures.empty() ? 0 : 1;
}
// end::job[]

int count_plainly(const wordcount::settings& s)
{
    word_counts sum;
    for (const std::string& file : files_below(s.folder))
        add(sum, wordcount::count_file(file));
    wordcount::write_database(s.output, sum);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv); // in a worker process this does not return
    try {
        const wordcount::settings s = wordcount::parse(argc, argv);
        if (s.help) {
            std::cout << wordcount::usage;
            return 0;
        }
        if (s.plain)
            return count_plainly(s);
        asio::io_context context;
        auto status = asio::co_spawn(context, count_words(s), asio::use_future);
        context.run();
        return status.get();
    }
    catch (const wordcount::usage_error& e) {
        std::cerr << "wordcount: " << e.what() << "\nwordcount -h tells the options\n";
    }
    catch (const std::exception& e) {
        std::cerr << "wordcount: " << e.what() << '\n';
    }
    return 1;
}
