// SPDX-License-Identifier: BSL-1.0
#include "observe/own_frame.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twat/mp/stacktrace.hpp>

#include "observe/stack_source.hpp"

using namespace twat::mp;
using detail::find_own_frame;

namespace {

stacktrace::frame frame(std::string function, std::string module = "/home/me/program", std::string file = {})
{
    stacktrace::frame f;
    f.function = std::move(function);
    f.module = std::move(module);
    f.file = std::move(file);
    return f;
}

std::string found(const std::vector<stacktrace::frame>& frames)
{
    const stacktrace::frame* const own = find_own_frame(frames);
    return own ? own->function : "nothing";
}

const std::string libc = "/lib/x86_64-linux-gnu/libc.so.6";

} // namespace

BOOST_AUTO_TEST_SUITE(test_own_frame)

BOOST_AUTO_TEST_CASE(what_waits_in_a_library_is_passed_over)
{
    BOOST_TEST(found({frame("__GI___lll_lock_wait", libc), frame("pthread_mutex_lock", libc),
                      frame("__gthread_mutex_lock(pthread_mutex_t*)", "/home/me/program",
                            "/usr/include/x86_64-linux-gnu/c++/12/bits/gthr-default.h"),
                      frame("std::mutex::lock()"), frame("update(int)"), frame("main")}) == "update(int)");
    BOOST_TEST(
        found({frame("nanosleep", libc),
               frame("void std::this_thread::sleep_for<long, std::ratio<1l, 1000l> >(std::chrono::duration<long>)"),
               frame("(anonymous namespace)::doze(int)")}) == "(anonymous namespace)::doze(int)");
    BOOST_TEST(found({frame("boost::asio::detail::scheduler::run(boost::system::error_code&)"),
                      frame("twat::mp::detail::server::run()"), frame("main"), frame("", "")}) == "nothing");
}

BOOST_AUTO_TEST_CASE(names_are_read_as_they_are_written)
{
    for (const char* const own :
         {"std_like::f()", "boost::asio::awaitable<int> mine::wait<int>(int)", "stuck::loop(std::string)",
          "mine::f()::{lambda(int)#1}::operator()(int) const", "mainly(int)", "vec<std::string>::at(unsigned long)"})
        BOOST_TEST(found({frame("abort", libc), frame(own), frame("main")}) == own);
    BOOST_TEST(found({frame("abort", libc), frame("std::vector<int, std::allocator<int> >::at(unsigned long)"),
                      frame("std::__throw_out_of_range(char const*)"), frame("mine()")}) == "mine()");
}

BOOST_AUTO_TEST_CASE(without_names_modules_are_told_apart)
{
    const std::vector<stacktrace::frame> frames{frame("", libc), frame(""), frame("")};
    BOOST_TEST(find_own_frame(frames) == &frames[1]);
    BOOST_TEST(!find_own_frame({}));
}

BOOST_AUTO_TEST_CASE(a_stack_without_frames_is_where_its_note_says)
{
    BOOST_TEST(stacktrace().where() == "");
    const stacktrace silent(std::make_shared<detail::stack_source>([] {
        return detail::raw_stack{nullptr, "no stack: the worker is in uninterruptible sleep", "stuck at"};
    }));
    BOOST_TEST(silent.where() == "no stack: the worker is in uninterruptible sleep");
    BOOST_TEST(where_of(nullptr) == "");
}

BOOST_AUTO_TEST_SUITE_END()
