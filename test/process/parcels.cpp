// SPDX-License-Identifier: BSL-1.0
// Calls that failed are run again.
#include <twat/mp/parcel.hpp>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/register_function.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>

#include "exception/parcel_content.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

namespace parcel_test {

int initialized = 0;

void initialize(int with) { initialized = with; }

[[gnu::noinline]] int kill_self(int x, const std::string& text)
{
    std::printf("kill_self(%d, %s) on %zu, initialized with %d, task %llu\n", x, text.c_str(), this_worker::index(),
                initialized, static_cast<unsigned long long>(this_task::index()));
    std::fflush(stdout);
    ::raise(SIGKILL);
    return x;
}

[[gnu::noinline]] int throw_up(int x) { throw std::range_error("thrown for " + std::to_string(x)); }

int sleep_long(int x)
{
    std::this_thread::sleep_for(1h);
    return x;
}

} // namespace parcel_test

TWAT_MP_REGISTER(parcel_test::throw_up);

namespace {

using namespace parcel_test;
namespace fs = std::filesystem;

struct folder
{
    fs::path path;
    folder()
    {
        std::string name = (fs::temp_directory_path() / "parcels.XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~folder() { fs::remove_all(path); }
};

struct outcome
{
    int status;
    std::string text;
};

/// Runs this program with these arguments, through a shell.
outcome run_again(const std::string& arguments)
{
    const std::string command =
        fs::read_symlink("/proc/self/exe").string() + " --twat-mp-replay " + arguments + " 2>&1";
    std::FILE* const from = ::popen(command.c_str(), "r");
    outcome result{};
    char buffer[4096];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, from)) != 0;)
        result.text.append(buffer, n);
    const int status = ::pclose(from);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class E, class F, class... Args>
E failure(process_pool& pool, const call_options& options, F f, Args... args)
{
    try {
        pool.with(options).apply(f, args...);
    }
    catch (const E& e) {
        return e;
    }
    throw std::logic_error("it returned");
}

std::vector<fs::path> wait_for_files(const fs::path& in, std::size_t count)
{
    std::vector<fs::path> found;
    for (int i = 0; i < 6000; ++i) {
        found.clear();
        for (const auto& entry : fs::directory_iterator(in))
            if (entry.path().extension() == ".parcel")
                found.push_back(entry.path());
        if (found.size() == count)
            break;
        std::this_thread::sleep_for(10ms);
    }
    BOOST_REQUIRE_EQUAL(found.size(), count);
    return found;
}

parcel parcel_of_death(process_pool& pool)
{
    const auto died = failure<worker_died>(pool, {.seed = 5}, kill_self, 7, std::string("text"));
    return died.parcel();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_parcels)

BOOST_AUTO_TEST_CASE(a_death_has_the_call_which_runs_again)
{
    const folder to;
    pool_options options;
    options.nodes = 1;
    options.initializer = task(initialize, 42);
    process_pool pool(options);
    const parcel call = parcel_of_death(pool);
    BOOST_REQUIRE(!call.empty());
    BOOST_TEST(contains(call.function(), "int (*)(int, const"), call.function());
    BOOST_TEST(contains(call.reason(), "was killed by signal 9"), call.reason());
    BOOST_TEST(call.task_index() == 0u);
    BOOST_TEST(call.size() > 4u);
    const fs::path file = to.path / "call";
    call.save(file);
    struct stat about
    {};
    BOOST_TEST(::stat(file.c_str(), &about) == 0);
    BOOST_TEST((about.st_mode & 07777) == 0600u);
    BOOST_TEST(std::distance(fs::directory_iterator(to.path), fs::directory_iterator()) == 1);

    const outcome shown = run_again(file.string() + " --show");
    BOOST_TEST(shown.status == 0);
    BOOST_TEST(contains(shown.text, "7, text"), shown.text);
    BOOST_TEST(contains(shown.text, "(this one)"), shown.text);

    const outcome again = run_again(file.string());
    BOOST_TEST(again.status != 0);
    BOOST_TEST(contains(again.text, "kill_self(7, text) on 0, initialized with 42, task 0"), again.text);

    const parcel loaded = parcel::load(file);
    BOOST_TEST(loaded.build() == call.build());
    BOOST_TEST(loaded.content()->call.seed == 5u);
    BOOST_TEST(loaded.content()->call.arguments == call.content()->call.arguments);
}

BOOST_AUTO_TEST_CASE(on_request_exceptions_and_timeouts_have_it_too)
{
    const folder to;
    pool_options options;
    options.nodes = 1;
    options.parcels.timeouts = options.parcels.exceptions = true;
    process_pool pool(options);
    try {
        pool.apply(throw_up, 3);
        BOOST_ERROR("it returned");
    }
    catch (const std::range_error&) {
        const parcel* const call =
            boost::current_exception_cast<const boost::exception>()
                ? boost::get_error_info<errinfo_parcel>(*boost::current_exception_cast<const boost::exception>())
                : nullptr;
        BOOST_REQUIRE(call);
        call->save(to.path / "call");
        const outcome again = run_again((to.path / "call").string());
        BOOST_TEST(again.status == 1);
        BOOST_TEST(contains(again.text, "thrown for 3"), again.text);
    }
    const auto late = failure<error>(pool, {.timeout = 50ms}, sleep_long, 4);
    BOOST_TEST(late.code() == make_error_code(errc::task_timed_out));
}

BOOST_AUTO_TEST_CASE(the_last_ones_are_kept_in_files)
{
    const folder to;
    pool_options options;
    options.nodes = 1;
    options.parcels = {to.path / "kept", 2};
    process_pool pool(options);
    std::string shown;
    for (int i = 0; i < 3; ++i) {
        const auto died = failure<worker_died>(pool, {}, kill_self, i, std::string("text"));
        shown = boost::diagnostic_information(died);
        BOOST_TEST(!died.parcel().file().empty());
        for (int tries = 0; tries < 6000 && !fs::exists(died.parcel().file()); ++tries)
            std::this_thread::sleep_for(10ms);
        BOOST_TEST(contains(run_again(died.parcel().file().string() + " --show").text, std::to_string(i) + ", text"));
    }
    wait_for_files(to.path / "kept", 2);
}

BOOST_AUTO_TEST_CASE(another_build_runs_what_is_registered_only)
{
    const folder to;
    pool_options options;
    options.nodes = 1;
    options.parcels.exceptions = true;
    process_pool pool(options);
    auto foreign = [](const parcel& call, const fs::path& file) {
        auto changed = std::make_shared<detail::parcel_content>(*call.content());
        changed->call.build = std::string(20, 'x');
        parcel(changed).save(file);
    };
    foreign(parcel_of_death(pool), to.path / "killed");
    const outcome refused = run_again((to.path / "killed").string());
    BOOST_TEST(refused.status == 2);
    BOOST_TEST(contains(refused.text, "7878787878"), refused.text);
    BOOST_TEST(contains(refused.text, parcel_of_death(pool).build()), refused.text);
    try {
        pool.apply(throw_up, 3);
    }
    catch (const boost::exception& e) {
        foreign(*boost::get_error_info<errinfo_parcel>(e), to.path / "thrown");
    }
    const outcome again = run_again((to.path / "thrown").string());
    BOOST_TEST(again.status == 1);
    BOOST_TEST(contains(again.text, "thrown for 3"), again.text);
}

BOOST_AUTO_TEST_CASE(other_files_are_refused)
{
    const folder to;
    process_pool pool(1);
    const parcel call = parcel_of_death(pool);
    const std::string whole = detail::encode_parcel(call.content()->call);
    const auto check = [&](const std::string& bytes, const char* what) {
        const fs::path file = to.path / "bad";
        fs::remove(file);
        std::ofstream(file, std::ios::binary) << bytes;
        BOOST_CHECK_EXCEPTION(parcel::load(file), error, [&](const error& e) { return contains(e.what(), what); });
        BOOST_TEST(run_again(file.string()).status == 2);
    };
    check("", "something else");
    check("#!/bin/sh\n", "something else");
    check(whole.substr(0, whole.size() - 1), "damaged");
    std::string damaged = whole;
    damaged[whole.size() / 2] ^= 1;
    check(damaged, "damaged");
    check(whole + "x", "damaged");
    BOOST_CHECK_THROW(parcel::load(to.path / "none"), boost::system::system_error);
    BOOST_CHECK_THROW(parcel::load(to.path), error);
    BOOST_CHECK_THROW(call.save(to.path / "none" / "file"), boost::system::system_error);
    BOOST_CHECK_THROW(parcel().save(to.path / "file"), std::logic_error);
    BOOST_TEST(run_again("").status == 2);

    call.save(to.path / "call");
    const outcome misspelt = run_again((to.path / "call").string() + " --shwo");
    BOOST_TEST(misspelt.status == 2);
    BOOST_TEST(contains(misspelt.text, "not --shwo"), misspelt.text);
    BOOST_TEST(run_again((to.path / "call").string() + " --show").status == 0);
    fs::permissions(to.path / "call", fs::perms::others_write, fs::perm_options::add);
    const outcome open = run_again((to.path / "call").string());
    BOOST_TEST(open.status == 2);
    BOOST_TEST(contains(open.text, "others may have written it"), open.text);
}

BOOST_AUTO_TEST_SUITE_END()
