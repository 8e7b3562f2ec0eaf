// SPDX-License-Identifier: BSL-1.0
// A worker program that speaks nonsense: the caller is told so, in bounded time, and nothing else happens to this process.
#include <twat/mp.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "census.hpp"
#include "errors.hpp"
#include "hostile_program.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace {

int wanted_elsewhere(int i) { return i; }

TWAT_MP_REGISTER(wanted_elsewhere)

/// Those that start well get the time for it, however busy the machine is.
pool_options hostile_workers(const std::string& mode, duration start_timeout = 60s)
{
    ::setenv("TWAT_MP_TEST_HOSTILE", mode.c_str(), 1);
    pool_options options;
    options.nodes = 1;
    options.executable = hostile_program();
    options.start_timeout = start_timeout;
    options.max_message_size = std::size_t(1) << 20;
    options.restarts.count = 2;
    return options;
}

long peak_kib()
{
    rusage use;
    ::getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

const char* const at_start[] = {"garbage",     "silent",        "half_a_frame",          "oversized_frame",
                                "wrong_nonce", "wrong_version", "ready_before_greeting", "flood"};
const char* const at_work[] = {"unknown_chunk",           "unknown_task",        "ends_before_its_tasks",
                               "frame_of_a_parent",       "cut_record",          "scribbled_page",
                               "scribbled_ring",          "ring_runs_backwards", "stored_outside",
                               "stored_beyond_the_limit", "short_record_first"};

} // namespace

BOOST_AUTO_TEST_SUITE(test_hostile_worker)

BOOST_DATA_TEST_CASE_F(census_fixture, one_that_starts_wrongly_is_told_of, bdata::make(at_start), mode)
{
    const long before = peak_kib();
    process_pool pool(hostile_workers(mode, 1s));
    std::vector<errc> codes;
    try {
        pool.apply(wanted_elsewhere, 1);
    }
    catch (...) {
        codes = codes_of(std::current_exception());
    }
    BOOST_TEST_REQUIRE(!codes.empty());
    BOOST_TEST((codes.front() == errc::pool_broken || codes.front() == errc::build_mismatch));
    BOOST_TEST((codes.back() == errc::protocol_error || codes.back() == errc::worker_start_failed ||
                codes.back() == errc::build_mismatch));
    // and not for its nonce, which it has not
    BOOST_TEST((std::string(mode) != "wrong_version" || codes.back() == errc::build_mismatch));
    BOOST_TEST(peak_kib() - before < 64 * 1024);
}

BOOST_DATA_TEST_CASE_F(census_fixture, one_that_answers_nonsense_is_told_of, bdata::make(at_work), mode)
{
    const long before = peak_kib();
    process_pool pool(hostile_workers(mode));
    std::vector<errc> codes;
    try {
        pool.apply(wanted_elsewhere, 1);
    }
    catch (...) {
        codes = codes_of(std::current_exception());
    }
    BOOST_TEST_REQUIRE(!codes.empty());
    // A task that was not begun, by what the page says, goes to the next worker, until there is none.
    BOOST_TEST((codes.back() == errc::protocol_error));
    BOOST_TEST(peak_kib() - before < 64 * 1024);
}

BOOST_FIXTURE_TEST_CASE(a_result_that_cannot_be_decoded_is_the_error_of_its_task, census_fixture)
{
    process_pool pool(hostile_workers("garbage_for_a_result"));
    BOOST_CHECK_EXCEPTION(pool.apply(wanted_elsewhere, 1), error,
                          [](const error& e) { return e.code() == errc::decode_failed; });
}

BOOST_FIXTURE_TEST_CASE(an_exception_that_cannot_be_decoded_is_still_one, census_fixture)
{
    process_pool pool(hostile_workers("garbage_for_an_exception"));
    BOOST_CHECK_THROW(pool.apply(wanted_elsewhere, 1), std::exception);
}

BOOST_AUTO_TEST_SUITE_END()
