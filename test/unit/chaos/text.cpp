// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/chaos.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_chaos_text)

BOOST_AUTO_TEST_CASE(every_key_is_read)
{
    const chaos_options read = parse_chaos("seed=7,kill=0.01,slow_start=200ms,delay=0.05:50ms,refuse=0.25");
    const chaos_options expected{.seed = 7, .kill = 0.01, .slow_start = 200ms, .delay = {0.05, 50ms}, .refuse = 0.25};
    BOOST_TEST((read == expected));
    BOOST_TEST(read.any());
    BOOST_TEST(!parse_chaos("").any());
    BOOST_TEST(!parse_chaos("seed=3").any());
    BOOST_TEST(!parse_chaos("kill=0,delay=0:1s").any());
}

BOOST_AUTO_TEST_CASE(times_have_units)
{
    BOOST_TEST((parse_chaos("slow_start=3ns").slow_start.time == 3ns));
    BOOST_TEST((parse_chaos("slow_start=3us").slow_start.time == 3us));
    BOOST_TEST((parse_chaos("slow_start=3ms").slow_start.time == 3ms));
    BOOST_TEST((parse_chaos("slow_start=0.5:3s").slow_start == chaos_delay(0.5, 3s)));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again)
{
    const std::vector<chaos_options> all{
        {},
        {.seed = 18446744073709551615u, .kill = 1},
        {.slow_start = {0.1, 1500us}, .delay = 2s},
        {.seed = 1, .kill = 0.001, .slow_start = 1ns, .delay = {1e-9, 90s}, .refuse = 0.5}};
    for (const chaos_options& options : all)
        BOOST_TEST_CONTEXT(to_string(options))
    BOOST_TEST((parse_chaos(to_string(options)) == options));
    BOOST_TEST(to_string(all[2]) == "seed=0,slow_start=0.1:1500us,delay=2s");
}

BOOST_AUTO_TEST_CASE(a_bad_string_is_refused_by_its_key)
{
    struct bad
    {
        const char* text;
        const char* named;
    };
    for (const bad& b : {bad{"kill=2", "kill=2"},
                         {"kill=-0.1", "kill"},
                         {"kill=nan", "kill"},
                         {"kill=", "kill"},
                         {"kill", "\"kill\""},
                         {"refuse=0.5x", "refuse"},
                         {"seed=-1", "seed"},
                         {"seed=99999999999999999999", "seed"},
                         {"slow_start=200", "slow_start"},
                         {"slow_start=-1ms", "slow_start"},
                         {"slow_start=9999999999999s", "slow_start"},
                         {"delay=0.1:", "delay"},
                         {"delay=2:1ms", "delay"},
                         {"delay=0.1:1h", "delay"},
                         {"seed=1,seed=2", "seed"},
                         {"fire=1", "fire"},
                         {"seed=1,,kill=0", "\"\""},
                         {" seed=1", "seed"}})
        BOOST_TEST_CONTEXT(b.text)
    BOOST_CHECK_EXCEPTION(parse_chaos(b.text), std::invalid_argument, [&](const std::invalid_argument& e) {
        return std::string(e.what()).find(b.named) != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
