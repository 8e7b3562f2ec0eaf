// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/trace_context.hpp>

#include <twat/mp.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

using namespace twat::mp;

static_assert(std::is_trivially_destructible_v<call_options>);

BOOST_AUTO_TEST_SUITE(test_operation_trace_context)

BOOST_AUTO_TEST_CASE(a_traceparent_is_kept)
{
    constexpr std::string_view text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    BOOST_TEST(trace_context(text).valid());
    BOOST_TEST(trace_context(text).text() == text);
    BOOST_TEST(trace_context(std::string(text)).trace_id() == "0af7651916cd43dd8448eb211c80319c");
    BOOST_TEST(trace_context().empty());
    BOOST_TEST(trace_context("").empty());
    BOOST_TEST(!trace_context("").malformed());
    BOOST_TEST((call_options{.trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}.trace_parent ==
                trace_context(text)));
    // Of a later version what this one knows.
    BOOST_TEST(trace_context("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").text() == text);
    BOOST_TEST(trace_context("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").text() == text);
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_refused_by_its_member)
{
    thread_pool pool(1);
    for (const char* bad : {"x", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
                            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01"})
        BOOST_TEST_CONTEXT(bad)
        {
            BOOST_TEST(trace_context(bad).malformed());
            BOOST_TEST(trace_context(bad).text().empty());
            BOOST_CHECK_EXCEPTION(
                pool.with({.trace_parent = bad}), std::invalid_argument, [](const std::invalid_argument& e) {
                    return std::string(e.what()).find("call_options::trace_parent") != std::string::npos;
                });
        }
}

BOOST_AUTO_TEST_SUITE_END()
