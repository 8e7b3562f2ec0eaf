// SPDX-License-Identifier: BSL-1.0
#include "start/report_board.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp::detail;

namespace {

struct fixture
{
    std::unique_ptr<report_board> board = std::make_unique<report_board>();
    report_reader reader;

    std::vector<task_report> taken()
    {
        std::vector<task_report> all;
        reader.take(*board, [&](task_report&& report) { all.push_back(std::move(report)); });
        return all;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_report_board)

BOOST_FIXTURE_TEST_CASE(a_report_is_read_once, fixture)
{
    BOOST_TEST(taken().empty());
    board->write(7, 1, 42, 0.5, "half");
    const auto reports = taken();
    BOOST_TEST_REQUIRE(reports.size() == 1u);
    BOOST_TEST(reports[0].operation == 7u);
    BOOST_TEST(reports[0].index == 42u);
    BOOST_TEST(reports[0].fraction == 0.5);
    BOOST_TEST(reports[0].text == "half");
    BOOST_TEST(taken().empty());
}

BOOST_FIXTURE_TEST_CASE(a_report_takes_the_place_of_an_earlier_one_of_its_task, fixture)
{
    for (int i = 0; i != 1000; ++i)
        for (const std::uint64_t chunk : {1, 2, 3})
            board->write(7, chunk, 10 * chunk, i / 1000.0, std::to_string(i));
    const auto reports = taken();
    BOOST_TEST_REQUIRE(reports.size() == 3u);
    for (const task_report& report : reports)
        BOOST_TEST(report.text == "999");
}

BOOST_FIXTURE_TEST_CASE(the_last_16_tasks_are_kept, fixture)
{
    for (std::uint64_t index = 0; index != 100; ++index)
        board->write(7, 1, index, 1, {});
    const auto reports = taken();
    BOOST_TEST(reports.size() == 16u);
    for (const task_report& report : reports)
        BOOST_TEST(report.index >= 84u);
}

BOOST_FIXTURE_TEST_CASE(long_texts_are_cut_between_characters, fixture)
{
    board->write(7, 1, 0, 1, std::string(206, 'x') + "\xe2\x82\xac" + "y"); // a euro sign across the end
    BOOST_TEST(taken().at(0).text == std::string(206, 'x'));
    board->write(7, 1, 0, 1, std::string(208, 'x'));
    BOOST_TEST(taken().at(0).text == std::string(208, 'x'));
}

BOOST_FIXTURE_TEST_CASE(what_a_mad_worker_writes_is_bounded, fixture)
{
    board->write(7, 1, 0, std::numeric_limits<double>::quiet_NaN(), "text");
    board->cells[1].length = std::uint64_t(-1);
    const auto reports = taken();
    BOOST_TEST_REQUIRE(reports.size() == 1u);
    BOOST_TEST(reports[0].fraction == 0);
    BOOST_TEST(reports[0].text.size() == report_cell::text_capacity);
    board->cells[1].sequence = 9; // being written, for ever
    ++board->written;
    BOOST_TEST(taken().empty());
    BOOST_TEST(taken().empty());
}

BOOST_AUTO_TEST_CASE(fractions_are_from_0_to_1)
{
    BOOST_TEST(clamp_fraction(0.25) == 0.25);
    BOOST_TEST(clamp_fraction(-1) == 0);
    BOOST_TEST(clamp_fraction(1.5) == 1);
    BOOST_TEST(clamp_fraction(std::numeric_limits<double>::infinity()) == 1);
    BOOST_TEST(clamp_fraction(std::nan("")) == 0);
}

BOOST_FIXTURE_TEST_CASE(who_reads_while_it_is_written_finds_whole_reports, fixture)
{
    std::atomic<bool> over = false;
    std::thread writer([&] {
        for (std::uint64_t i = 1; i != 200000; ++i)
            board->write(i % 100, 1 + i % 3, 0, static_cast<double>(i % 100) / 100,
                         std::string(i % 100, static_cast<char>('0' + i % 10)));
        over = true;
    });
    std::size_t torn = 0;
    do
        for (const task_report& report : taken())
            torn += report.text.size() != report.operation ||
                    report.fraction != static_cast<double>(report.operation) / 100;
    while (!over);
    writer.join();
    BOOST_TEST(torn == 0u);
    taken();
    BOOST_TEST(taken().empty());
}

BOOST_AUTO_TEST_SUITE_END()
