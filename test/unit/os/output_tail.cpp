// SPDX-License-Identifier: BSL-1.0
#include "os/output_tail.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

using twat::mp::detail::output_tail;

BOOST_AUTO_TEST_SUITE(test_output_tail)

BOOST_AUTO_TEST_CASE(it_is_empty_at_first) { BOOST_TEST(output_tail().text().empty()); }

BOOST_AUTO_TEST_CASE(it_keeps_the_end_of_what_was_written)
{
    std::minstd_rand random(1);
    output_tail tail;
    std::string all;
    for (int i = 0; i < 200; ++i) {
        std::string part(random() % (i % 10 == 0 ? 200'000 : 3000), ' ');
        for (char& c : part)
            c = static_cast<char>('a' + random() % 26);
        tail.append(part);
        all += part;
        const std::string expected =
            all.size() <= output_tail::capacity ? all : all.substr(all.size() - output_tail::capacity);
        BOOST_TEST_REQUIRE((tail.text() == expected), "after " << all.size() << " bytes");
    }
}

BOOST_AUTO_TEST_SUITE_END()
