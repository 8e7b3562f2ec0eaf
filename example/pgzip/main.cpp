// SPDX-License-Identifier: BSL-1.0
// A parallel gzip: splits its input into blocks, compresses them in worker processes, and writes one ordinary .gz file.
//
//   settings       the command line
//   block_reader   the input, as a range of blocks that are read when they are asked for
//   deflate_block  the task: compresses one block, in a worker
//   compress       the job: reads, hands out, writes in order
//   gzip_format    header and trailer of the file
//   file           input and output; the output gets its name when it is complete
//   verify         -t
#include <twat/mp/async_pool.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>
#if defined(PGZIP_CLUSTER)
#include <twat/mp/cluster.hpp>
#endif

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <unistd.h>

#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "compress.hpp"
#include "file.hpp"
#include "settings.hpp"
#include "verify.hpp"

namespace {

namespace asio = boost::asio;
namespace mp = twat::mp;
using pgzip::settings;

/// What to tell the user about an error. The code of a `system_error` says it all; its what() says it twice.
std::string describe(const std::string& file, const std::exception& e)
{
    if (const auto* died = dynamic_cast<const mp::worker_died*>(&e)) {
        std::string how = "ended without a result";
        if (died->signal() != 0)
            how = "was killed by signal " + std::to_string(died->signal());
        return file + ": worker " + std::to_string(died->pid()) + " " + how;
    }
    if (const auto* system = dynamic_cast<const std::system_error*>(&e)) {
        // "FILE.gz: No space left on device" names the file itself; "cannot read: Input/output error" does not.
        const std::string what = system->what();
        return what.rfind("cannot", 0) == 0 ? file + ": " + what : what;
    }
    return file + ": " + e.what();
}

/// Compresses `name` to where the settings say; as gzip, removes it in the end.
template <class Pool>
asio::awaitable<void> compress_file(Pool& pool, const settings& s, const std::string& name)
{
    const pgzip::input_file in(name);
    const bool from_stdin = name == "-";
    const std::string stored = from_stdin ? "" : std::filesystem::path(name).filename().string();
    if (S_ISDIR(in.status().st_mode))
        throw std::runtime_error("is a directory");

    if (s.output == "-" || (from_stdin && s.output.empty())) {
        if (::isatty(STDOUT_FILENO) && !s.force)
            throw std::runtime_error("compressed data is not written to a terminal; -f forces it, -h helps");
        pgzip::output_file out;
        co_await pgzip::compress(pool, s, in, stored, out);
        co_return;
    }

    const bool beside = s.output.empty();
    if (beside && !in.is_regular())
        throw std::runtime_error("is not a regular file; -c compresses it to standard output");
    if (beside && name.ends_with(".gz") && !s.force)
        throw std::runtime_error("already ends in .gz; -f compresses it again");
    pgzip::output_file out(beside ? name + ".gz" : s.output, s.force);
    co_await pgzip::compress(pool, s, in, stored, out);
    if (in.is_regular())
        out.copy_attributes(in.status());
    out.commit();
    if (!s.keep)
        std::filesystem::remove(name);
}

/// The job on the workers that the command line names.
asio::awaitable<int> compress_files(const settings& s);

/// All files, one after the other, through one pool. Returns the exit status.
template <class Workers, class Options>
asio::awaitable<int> compress_files(const settings& s, Options options)
{
    mp::basic_async_pool<Workers> pool(co_await asio::this_coro::executor, options);
    co_await pool.start(); // of a cluster only now it is known how many workers there are
    int status = 0;
    for (const std::string& name : s.files) {
        try {
            co_await compress_file(pool, s, name);
        }
        catch (const std::exception& e) {
            std::cerr << "pgzip: " << describe(name, e) << '\n';
            status = 1;
        }
    }
    co_await pool.join();
    co_return status;
}

asio::awaitable<int> compress_files(const settings& s)
{
#if defined(PGZIP_CLUSTER)
    if (!s.cluster.empty()) {
        mp::cluster_options cluster;
        cluster.url = s.cluster;
        return compress_files<mp::cluster_workers>(s, std::move(cluster));
    }
#endif
    mp::pool_options options;
    options.nodes = s.workers;
    return s.threads ? compress_files<mp::thread_workers>(s, options) : compress_files<mp::process_workers>(s, options);
}

int verify_files(const settings& s)
{
    int status = 0;
    for (const std::string& name : s.files) {
        try {
            pgzip::verify(pgzip::input_file(name).fd());
        }
        catch (const std::exception& e) {
            std::cerr << "pgzip: " << describe(name, e) << '\n';
            status = 1;
        }
    }
    return status;
}

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv); // in a worker process this does not return
#if defined(PGZIP_CLUSTER)
    if (const auto status = mp::run_if_agent(argc, argv)) // pgzip --twat-mp-agent URL
        return *status;
#endif
    try {
        const settings s = pgzip::parse(argc, argv);
        if (s.help) {
            std::cout << pgzip::usage;
            return 0;
        }
        if (s.verify)
            return verify_files(s);
        asio::io_context context;
        auto status = asio::co_spawn(context, compress_files(s), asio::use_future);
        context.run();
        return status.get();
    }
    catch (const pgzip::usage_error& e) {
        std::cerr << "pgzip: " << e.what() << "\npgzip -h tells the options\n";
    }
    catch (const std::exception& e) {
        std::cerr << "pgzip: " << e.what() << '\n';
    }
    return 1;
}
