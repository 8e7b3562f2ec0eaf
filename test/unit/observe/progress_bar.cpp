// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/progress_bar.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <sstream>
#include <string>

#include "observe/progress_line.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

namespace {

progress at(duration elapsed, std::size_t done, std::optional<std::size_t> total, std::size_t failed = 0)
{
    progress now;
    now.elapsed = elapsed;
    now.done = done;
    now.total = total;
    now.failed = failed;
    return now;
}

constexpr progress_style plain{};
constexpr progress_style ascii{.terminal = true, .unicode = false, .width = 60};
constexpr progress_style unicode{.terminal = true, .unicode = true, .width = 60};

} // namespace

BOOST_AUTO_TEST_SUITE(test_progress_bar)

BOOST_AUTO_TEST_CASE(lines)
{
    const struct
    {
        progress_style style;
        const char* label;
        progress now;
        const char* line;
    } table[] = {
        {plain, "copy", at(10s, 20, 100), "copy: 20 of 100 (20%), 00:10 elapsed, 2.00/s, 00:40 left"},
        {plain, "", at(10s, 20, 100, 3), "20 of 100 (20%), 3 failed, 00:10 elapsed, 2.00/s, 00:40 left"},
        {plain, "copy", at(10s, 100, 100), "copy: 100 of 100 (100%), 00:10 elapsed, 10.0/s"},
        {plain, "copy", at(2h, 7200000, {}), "copy: 7200000, 2:00:00 elapsed, 1.0k/s"},
        {plain, "copy", at(0s, 0, 10), "copy: 0 of 10 (0%), 00:00 elapsed, ?/s"},
        {plain, "copy", at(1s, 0, 0), "copy: 0 of 0 (100%), 00:01 elapsed, ?/s"},
        {plain, "", at(1s, 9999, 10000), "9999 of 10000 (99%), 00:01 elapsed, 10.0k/s, 00:00 left"}, // not yet all
        {ascii, "copy", at(10s, 50, 100), "copy  50% |#########         | 50/100 [00:10<00:10, 5.00/s]"},
        {unicode, "copy", at(10s, 47, 100), "copy  47% |████████▍         | 47/100 [00:10<00:11, 4.70/s]"},
        {ascii, "copy", at(10s, 100, 100), "copy 100% |#################| 100/100 [00:10<00:00, 10.0/s]"},
        {ascii, "copy", at(10s, 50, {}), "copy 50 [00:10, 5.00/s]"},
        {ascii, "copy", at(0s, 0, 100), "copy   0% |                          | 0/100 [00:00<?, ?/s]"},
        {{.terminal = true, .width = 40}, "copy", at(10s, 50, 100), "copy  50%  50/100 [00:10<00:10, 5.00/s]"},
        {{.terminal = true, .width = 10}, "copy", at(10s, 50, 100), "copy  50%"},
        {{.terminal = true, .width = 1}, "copy", at(10s, 50, 100), "c"},
        {{.terminal = true, .width = 4}, "äöü", at(10s, 50, 100), "äöü"},
    };
    for (const auto& row : table)
        BOOST_TEST(progress_line(row.label, row.now, row.style) == row.line);
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_the_terminal)
{
    for (std::size_t width = 0; width < 200; ++width)
        for (std::size_t done = 0; done <= 1000; done += 50) {
            const auto line = progress_line("copy", at(1s * done, done, 1000, done / 10), {true, false, width});
            BOOST_REQUIRE(line.size() <= std::max<std::size_t>(width, 2) - 1);
        }
}

BOOST_AUTO_TEST_CASE(a_terminal_is_drawn_at_most_ten_times_a_second)
{
    progress_writer writer("");
    BOOST_TEST(writer.step(at(0ms, 0, 10), ascii).starts_with("\r"));
    BOOST_TEST(writer.step(at(50ms, 1, 10), ascii) == "");
    BOOST_TEST(writer.step(at(99ms, 2, 10), ascii) == "");
    BOOST_TEST(writer.step(at(100ms, 3, 10), ascii).ends_with("\x1b[K"));
    BOOST_TEST(writer.step(at(150ms, 4, 10), ascii) == "");
    BOOST_TEST(writer.step(at(151ms, 10, 10), ascii).ends_with("\x1b[K\n")); // the last one always
    BOOST_TEST(writer.finish() == "");
}

BOOST_AUTO_TEST_CASE(a_line_that_was_not_ended_is_ended)
{
    progress_writer writer("");
    writer.step(at(0ms, 0, 10), ascii);
    BOOST_TEST(writer.finish() == "\n");
    BOOST_TEST(writer.finish() == "");
}

BOOST_AUTO_TEST_CASE(elsewhere_a_line_is_written_now_and_then)
{
    progress_writer writer("copy");
    BOOST_TEST(writer.step(at(0s, 0, 100), plain) == "");
    BOOST_TEST(writer.step(at(4s, 10, 100), plain) == "");
    BOOST_TEST(writer.step(at(5s, 20, 100), plain).starts_with("copy: 20 of 100"));
    BOOST_TEST(writer.step(at(9s, 30, 100), plain) == "");
    BOOST_TEST(writer.step(at(10s, 40, 100), plain).ends_with("left\n"));
    BOOST_TEST(writer.step(at(11s, 100, 100), plain).starts_with("copy: 100 of 100"));
    BOOST_TEST(writer.finish() == "");
}

BOOST_AUTO_TEST_CASE(a_bar_can_be_used_for_one_operation_after_the_other)
{
    progress_writer writer("");
    writer.step(at(2s, 10, 10), ascii);
    BOOST_TEST(writer.step(at(1ms, 1, 10), ascii).starts_with("\r"));
    writer.step(at(1s, 2, 10), ascii);
    BOOST_TEST(writer.step(at(1ms, 1, 10), ascii).starts_with("\n\r"));
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_no_terminal_gets_plain_lines)
{
    std::ostringstream out;
    {
        auto bar = progress_bar("copy", out);
        bar(at(1s, 1, 2));
        bar(at(2s, 2, 2));
    }
    BOOST_TEST(out.str() == "copy: 2 of 2 (100%), 00:02 elapsed, 1.00/s\n");
}

BOOST_AUTO_TEST_CASE(a_file_gets_plain_lines)
{
    std::FILE* file = std::tmpfile();
    BOOST_REQUIRE(file);
    progress_bar bar("copy", file);
    bar(at(2s, 2, 2));
    std::rewind(file);
    char text[100] = {};
    BOOST_TEST(std::fread(text, 1, sizeof text - 1, file) != 0u);
    BOOST_TEST(text == std::string("copy: 2 of 2 (100%), 00:02 elapsed, 1.00/s\n"));
    std::fclose(file);
}

BOOST_AUTO_TEST_SUITE_END()
