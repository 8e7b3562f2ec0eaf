// SPDX-License-Identifier: BSL-1.0
// Every cause in every step of a worker's life: who is told of what, and that nobody else is.
#include <twat/mp.hpp>

#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception_ptr.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

#include <unistd.h>

#include "census.hpp"
#include "errors.hpp"
#include "fault.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace twat::mp::test {
namespace {

/// A number that lets something happen in the worker that decodes it.
struct fused_input
{
    int number = 0;
    bool armed = false;
    cause what{};
};

/// A number that lets something happen in the worker that encodes it.
struct fused_output
{
    int number = 0;
    bool armed = false;
    cause what{};
};

} // namespace
} // namespace twat::mp::test

template <>
struct twat::mp::codec<fused_input>
{
    static void encode(encoder& out, const fused_input& value)
    {
        out.write(value.number);
        out.write(value.armed);
        out.write(value.what);
    }
    static fused_input decode(decoder& in)
    {
        fused_input value;
        value.number = in.read<int>();
        value.armed = in.read<bool>();
        value.what = in.read<cause>();
        if (value.armed && this_worker::is_worker())
            commit(value.what);
        return value;
    }
};

template <>
struct twat::mp::codec<fused_output>
{
    static void encode(encoder& out, const fused_output& value)
    {
        if (value.armed && this_worker::is_worker())
            commit(value.what);
        out.write(value.number);
    }
    static fused_output decode(decoder& in) { return {in.read<int>(), false, {}}; }
};

namespace {

constexpr const char* static_fault = "TWAT_MP_TEST_STATIC_FAULT"; // "<cause> <pid of the host>"

// Before main, and so before the worker is entered.
[[maybe_unused]] const bool statically_struck = [] {
    if (const char* const text = std::getenv(static_fault)) {
        char* end;
        const auto what = static_cast<cause>(std::strtol(text, &end, 10));
        if (std::strtol(end, nullptr, 10) != ::getpid())
            commit(what);
    }
    return true;
}();

int square(int i) { return i * i; }

fused_output task_of_the_matrix(fused_input input, cause what, step when)
{
    std::this_thread::sleep_for(1ms);
    const bool struck = input.number == 7;
    if (struck && when == step::call)
        commit(what);
    return {input.number * input.number, struck && when == step::encode, what};
}

pool_options two_workers()
{
    pool_options options;
    options.nodes = 2;
    options.start_timeout = 60s;
    options.restarts.count = 1000;
    return options;
}

template <class R>
std::string diagnose(const result<R>& outcome)
{
    return outcome.has_error() ? boost::diagnostic_information(outcome.error()) : std::string();
}

/// All that is nested in it, itself first.
std::vector<std::exception_ptr> chain_of(std::exception_ptr error)
{
    std::vector<std::exception_ptr> chain;
    while (error) {
        chain.push_back(error);
        std::exception_ptr inner;
        try {
            std::rethrow_exception(error);
        }
        catch (const std::exception& e) {
            if (const auto* nested = dynamic_cast<const std::nested_exception*>(&e))
                inner = nested->nested_ptr();
        }
        catch (...) {
        }
        error = inner;
    }
    return chain;
}

bool has_code(const std::vector<std::exception_ptr>& chain, errc code)
{
    for (const auto& error : chain)
        if (code_of(error) == code)
            return true;
    return false;
}

void check_thrown(const std::exception_ptr& error, cause what)
{
    switch (what) {
    case cause::throw_standard:
        BOOST_CHECK_EXCEPTION(std::rethrow_exception(error), std::domain_error,
                              [](const auto& e) { return std::string(e.what()).find("boom") != std::string::npos; });
        break;
    case cause::throw_int:
        BOOST_CHECK_EXCEPTION(std::rethrow_exception(error), remote_error,
                              [](const auto& e) { return e.type_name() == "int"; });
        break;
    default: BOOST_CHECK_THROW(std::rethrow_exception(error), std::bad_alloc); break;
    }
}

/// The error of the one task that was struck.
life_phase expected_phase(step when)
{
    switch (when) {
    case step::decode: return life_phase::decode;
    case step::encode: return life_phase::encode;
    default: return life_phase::call;
    }
}

void check_struck(const std::exception_ptr& error, cause what, std::size_t index, step when = step::call)
{
    BOOST_TEST_REQUIRE((error != nullptr));
    BOOST_TEST((task_index(error) == index));
    if (is_throw(what))
        return check_thrown(error, what);
    if (is_silence(what)) {
        BOOST_TEST(code_of(error) == make_error_code(errc::task_timed_out));
        return;
    }
    BOOST_TEST(code_of(error) == make_error_code(errc::worker_died));
    try {
        std::rethrow_exception(error);
    }
    catch (const worker_died& e) {
        BOOST_TEST(e.status_known());
        BOOST_TEST(e.signal() == expected_signal(what));
        BOOST_TEST(e.exit_code() == expected_exit_code(what));
        BOOST_TEST(e.pid() > 0);
        BOOST_TEST_REQUIRE(e.has_task());
        BOOST_TEST(e.task_index() == index);
        BOOST_TEST((e.phase() == expected_phase(when)), e.what());
        BOOST_TEST(e.resident_size() != 0u);
        BOOST_TEST((e.out_of_memory() != memory_verdict::likely));
    }
    catch (...) {
        BOOST_ERROR("not a worker_died");
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_crash_matrix)

BOOST_DATA_TEST_CASE_F(census_fixture, a_task_takes_only_itself_down, bdata::make(all_causes) * bdata::make(all_steps),
                       what, when)
{
    process_pool pool(two_workers());
    pool.start();
    std::vector<fused_input> inputs(40);
    for (int i = 0; i != 40; ++i)
        inputs[static_cast<std::size_t>(i)] = {i, i == 7 && when == step::decode, what};

    const auto results = pool.with({.timeout = is_silence(what) ? 300ms : 60s})
                             .try_map(task_of_the_matrix, inputs, std::vector(40, what), std::vector(40, when));

    BOOST_TEST_REQUIRE(results.size() == 40u);
    for (std::size_t i = 0; i != 40; ++i) {
        if (i == 7) {
            BOOST_TEST_REQUIRE(results[i].has_error());
            check_struck(results[i].error(), what, 7, when);
        } else {
            BOOST_TEST_REQUIRE(results[i].has_value(), "bystander " << i << ": " << diagnose(results[i]));
            BOOST_TEST(results[i]->number == static_cast<int>(i * i));
        }
    }
    BOOST_TEST(pool.apply(square, 9) == 81);
}

// The end of the first chunk is not told of at once when the next one is here already; yet the second's time runs from it.
BOOST_FIXTURE_TEST_CASE(a_task_behind_a_short_one_runs_out_of_time, census_fixture)
{
    pool_options options = two_workers();
    options.nodes = 1;
    process_pool pool(options);
    pool.start();
    for (int i = 0; i != 5; ++i) {
        const std::vector<fused_input> inputs{{0, false, {}}, {1, true, cause::hang}};
        const auto results = pool.with({.chunk_size = 1, .timeout = 100ms}).try_map([](fused_input) {}, inputs);
        BOOST_TEST_REQUIRE(results.size() == 2u);
        BOOST_TEST(results[0].has_value());
        BOOST_TEST_REQUIRE(results[1].has_error());
        check_struck(results[1].error(), cause::hang, 1);
    }
}

BOOST_DATA_TEST_CASE_F(census_fixture, an_initializer_that_always_fails_is_told_in_bounded_time,
                       bdata::make(all_causes), what)
{
    pool_options options = two_workers();
    options.initializer = task(commit, what);
    options.restarts.count = 2;
    if (is_silence(what))
        options.start_timeout = 1s;
    process_pool pool(options);

    const auto error = error_of([&] { pool.apply(square, 9); });

    const auto chain = chain_of(error);
    BOOST_TEST_REQUIRE(!chain.empty());
    if (is_throw(what)) {
        BOOST_TEST(code_of(error) == make_error_code(errc::initializer_failed));
        check_thrown(chain.back(), what);
    } else {
        BOOST_TEST(code_of(error) == make_error_code(errc::pool_broken));
        BOOST_TEST(has_code(chain, errc::worker_start_failed));
    }
    // The pool stays broken and says so at once.
    BOOST_TEST((error_of([&] { pool.apply(square, 9); }) != nullptr));
}

BOOST_DATA_TEST_CASE_F(census_fixture, a_finalizer_holds_up_nobody, bdata::make(all_causes), what)
{
    pool_options options = two_workers();
    options.finalizer = task(commit, what);
    process_pool pool(options);
    BOOST_TEST(pool.apply(square, 9) == 81);
    BOOST_CHECK_NO_THROW(pool.join());
}

BOOST_DATA_TEST_CASE_F(census_fixture, a_worker_that_never_reaches_main_is_told_in_bounded_time,
                       bdata::make(all_causes), what)
{
    pool_options options = two_workers();
    options.restarts.count = 2;
    if (is_silence(what))
        options.start_timeout = 1s;
    ::setenv(static_fault, (std::to_string(static_cast<int>(what)) + " " + std::to_string(::getpid())).c_str(), 1);
    {
        process_pool pool(options);
        const auto thrown = error_of([&] { pool.apply(square, 9); });
        BOOST_TEST((code_of(thrown) == errc::worker_start_failed));
        if (what == cause::exit_0 || what == cause::exit_1) {
            BOOST_CHECK_EXCEPTION(std::rethrow_exception(thrown), error, [](const error& e) {
                return std::string(e.what()).find("run_if_worker") != std::string::npos;
            });
            BOOST_TEST(pool.stats().restarts == 0u); // what such a main() does first is not done over and over
        }
    }
    ::unsetenv(static_fault);
}

BOOST_AUTO_TEST_SUITE_END()
