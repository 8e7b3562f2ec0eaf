// SPDX-License-Identifier: BSL-1.0
#include "engine/gate.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>

using twat::mp::detail::gate;

namespace {

gate::error_maker says(const char* what)
{
    return [what] { return std::make_exception_ptr(std::runtime_error(what)); };
}

std::string text(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const std::exception& e) {
        return e.what();
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_gate)

BOOST_AUTO_TEST_CASE(who_is_refused_and_why)
{
    struct row
    {
        const char* what;
        void (*happens)(gate&);
        const char* why; // null: it is taken
    };
    const row table[] = {
        {"nothing", [](gate&) {}, nullptr},
        {"it is closed", [](gate& g) { g.close(says("closed")); }, "closed"},
        {"it is closed twice",
         [](gate& g) {
             g.close(says("closed"));
             g.close(says("again"));
         },
         "closed"},
        {"it is broken", [](gate& g) { g.break_down(says("broken")); }, "broken"},
        {"it is mended",
         [](gate& g) {
             g.break_down(says("broken"));
             g.mend();
         },
         nullptr},
        {"it is closed and broken",
         [](gate& g) {
             g.close(says("closed"));
             g.break_down(says("broken"));
         },
         "broken"},
        {"it is closed, broken and mended",
         [](gate& g) {
             g.close(says("closed"));
             g.break_down(says("broken"));
             g.mend();
         },
         "closed"},
        {"it ends what it has", [](gate& g) { g.end_all(says("ended")); }, nullptr},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            gate g;
            r.happens(g);
            BOOST_TEST(g.takes() == (r.why == nullptr));
            if (r.why)
                BOOST_TEST(text(g.refuses()) == r.why);
        }
}

BOOST_AUTO_TEST_CASE(all_ends_once)
{
    gate g;
    BOOST_TEST(!g.ends_all());
    BOOST_TEST(g.end_all(says("ended")));
    BOOST_TEST(g.ends_all());
    BOOST_TEST(!g.end_all(says("again")));
    BOOST_TEST(text(g.why_ended()) == "ended");
}

BOOST_AUTO_TEST_SUITE_END()
