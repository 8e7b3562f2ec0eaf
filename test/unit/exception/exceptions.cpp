// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/exceptions.hpp>

#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception_ptr.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/throw_exception.hpp>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/register_exception.hpp>
#include <twat/mp/worker_died.hpp>

using namespace twat::mp;
using detail::annotate;

namespace {

template <class F>
std::exception_ptr thrown_by(F f)
{
    try {
        f();
    }
    catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

/// Calls `f` with the exception, which must be an `E`.
template <class E, class F>
void with(const std::exception_ptr& error, F f)
{
    BOOST_TEST_REQUIRE(!!error);
    try {
        std::rethrow_exception(error);
    }
    catch (const E& e) {
        f(e);
    }
    catch (...) {
        BOOST_TEST(false, "another type: " << boost::current_exception_diagnostic_information());
    }
}

template <class Info, class E>
auto info(const E& e)
{
    const auto* value = boost::get_error_info<Info>(e);
    BOOST_TEST_REQUIRE(!!value, "no such error_info");
    return *value;
}

struct registered_error : std::runtime_error
{
    using runtime_error::runtime_error;
    int number = 0;
};
const bool registered_known = register_exception<registered_error>();

struct unregistered_error : std::runtime_error
{
    using runtime_error::runtime_error;
};

struct boost_error : virtual std::exception, virtual boost::exception
{
    const char* what() const noexcept override { return "boost"; }
};

struct throws_when_copied : std::runtime_error
{
    throws_when_copied() : runtime_error("throws when copied") {}
    throws_when_copied(const throws_when_copied& other) : runtime_error(other) { throw std::logic_error("copied"); }
};

struct registered_throws_when_copied : std::runtime_error
{
    explicit registered_throws_when_copied(const std::string& what) : runtime_error(what) {}
    registered_throws_when_copied(const registered_throws_when_copied& other) : runtime_error(other)
    {
        throw std::logic_error("copied");
    }
};
// wire/exception.cpp registers another type of this name.
struct ambiguous_error : std::range_error
{
    using range_error::range_error;
};
[[maybe_unused]] const bool ambiguous_known = register_exception<ambiguous_error>();

const bool throwing_known = register_exception<registered_throws_when_copied>();

} // namespace

BOOST_AUTO_TEST_SUITE(test_exceptions)

BOOST_AUTO_TEST_CASE(a_standard_exception_from_a_thread_tells_its_task)
{
    const auto error = annotate(thrown_by([] { throw std::out_of_range("beyond"); }), 7, "(1, 2)");
    with<std::out_of_range>(error, [](const std::out_of_range& e) {
        BOOST_TEST(e.what() == "beyond");
        BOOST_TEST(info<errinfo_task_index>(e) == 7u);
        BOOST_TEST(info<errinfo_worker_pid>(e) == ::getpid());
        BOOST_TEST(info<errinfo_type_name>(e) == "std::out_of_range");
        BOOST_TEST(info<errinfo_input>(e) == "(1, 2)");
    });
    BOOST_TEST((task_index(error) == 7u));
}

BOOST_AUTO_TEST_CASE(an_annotated_exception_keeps_all_of_its_own)
{
    const auto error = annotate(
        thrown_by([] { throw std::system_error(std::make_error_code(std::errc::permission_denied), "tried"); }), 1);
    with<std::system_error>(error, [](const std::system_error& e) {
        BOOST_TEST((e.code() == std::errc::permission_denied));
        BOOST_TEST(std::string(e.what()).starts_with("tried"));
        BOOST_TEST(boost::get_error_info<errinfo_input>(e) == nullptr);
    });

    const auto failure = annotate(thrown_by([] {
                                      std::ifstream file;
                                      file.exceptions(std::ios::failbit);
                                      file.open("/nowhere/at/all");
                                  }),
                                  2);
    with<std::ios_base::failure>(failure, [](const std::ios_base::failure& e) {
        BOOST_TEST(info<errinfo_task_index>(e) == 2u);
        BOOST_TEST(info<errinfo_type_name>(e) == "std::ios_base::failure");
    });
}

BOOST_AUTO_TEST_CASE(a_registered_exception_from_a_thread_tells_its_task)
{
    BOOST_TEST(registered_known);
    const auto error = annotate(thrown_by([] {
                                    registered_error e("mine");
                                    e.number = 5;
                                    throw e;
                                }),
                                3);
    with<registered_error>(error, [](const registered_error& e) {
        BOOST_TEST(e.what() == "mine");
        BOOST_TEST(e.number == 5);
        BOOST_TEST(info<errinfo_task_index>(e) == 3u);
        BOOST_TEST(info<errinfo_type_name>(e).ends_with("registered_error"));
    });
}

BOOST_AUTO_TEST_CASE(any_other_exception_from_a_thread_arrives_untouched_and_its_task_is_known)
{
    const auto own = thrown_by([] { throw unregistered_error("mine"); });
    const auto number = thrown_by([] { throw 42; });
    const auto copied = thrown_by([] { throw throws_when_copied(); });
    BOOST_TEST((annotate(own, 10) == own));
    BOOST_TEST((annotate(number, 11) == number));
    BOOST_TEST((annotate(copied, 12) == copied));
    BOOST_TEST((task_index(own) == 10u));
    BOOST_TEST((task_index(number) == 11u));
    BOOST_TEST((task_index(copied) == 12u));
    with<int>(number, [](int value) { BOOST_TEST(value == 42); });
}

BOOST_AUTO_TEST_CASE(a_copy_constructor_that_throws_loses_no_exception)
{
    BOOST_TEST(throwing_known);
    const auto error = thrown_by([] { throw registered_throws_when_copied("precious"); });
    BOOST_TEST((annotate(error, 4) == error));
    BOOST_TEST((task_index(error) == 4u));
}

BOOST_AUTO_TEST_CASE(an_exception_that_no_task_threw_has_no_index)
{
    BOOST_TEST(!task_index(nullptr));
    BOOST_TEST(!task_index(std::make_exception_ptr(1)));
    BOOST_TEST(!task_index(std::make_exception_ptr(boost_error())));
}

BOOST_AUTO_TEST_CASE(only_the_last_untouched_exceptions_are_remembered)
{
    std::vector<std::exception_ptr> errors;
    for (std::size_t i = 0; i < 1100; ++i)
        errors.push_back(annotate(std::make_exception_ptr(static_cast<int>(i)), i));
    BOOST_TEST(!task_index(errors.front()));
    for (std::size_t i = 1100 - 1024; i < errors.size(); ++i)
        BOOST_TEST((task_index(errors[i]) == i));
}

BOOST_AUTO_TEST_CASE(exceptions_of_boost_keep_their_type_and_infos)
{
    const auto wrapped = annotate(thrown_by([] { BOOST_THROW_EXCEPTION(std::range_error("far")); }), 5);
    with<std::range_error>(wrapped, [](const std::range_error& e) {
        BOOST_TEST(info<errinfo_task_index>(e) == 5u);
        BOOST_TEST(info<errinfo_type_name>(e) == "std::range_error");
        BOOST_TEST(boost::get_error_info<boost::throw_line>(e) != nullptr);
    });
    const auto own = thrown_by([] { throw boost_error(); });
    BOOST_TEST((annotate(own, 6) == own));
    with<boost_error>(own, [](const boost_error& e) { BOOST_TEST(info<errinfo_task_index>(e) == 6u); });
}

BOOST_AUTO_TEST_CASE(one_exception_thrown_by_two_tasks_has_an_index_for_each)
{
    const auto shared = thrown_by([] { BOOST_THROW_EXCEPTION(std::range_error("far")); });
    const auto first = annotate(shared, 1);
    const auto second = annotate(first, 2);
    BOOST_TEST((task_index(first) == 1u));
    BOOST_TEST((task_index(second) == 2u));
    BOOST_TEST(!task_index(shared));
    with<std::range_error>(second, [](const std::range_error&) {});
}

BOOST_AUTO_TEST_CASE(one_exception_thrown_in_many_threads_is_safe)
{
    const auto shared = annotate(thrown_by([] { throw std::range_error("far"); }), 99);
    const auto foreign = std::make_exception_ptr(42);
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (std::size_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < 200; ++i) {
                right += task_index(annotate(shared, t * 1000 + i)) == t * 1000 + i;
                annotate(foreign, i);
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    BOOST_TEST(right == 800);
}

BOOST_AUTO_TEST_CASE(nested_exceptions_stay_nested)
{
    const auto error = annotate(thrown_by([] {
                                    try {
                                        throw std::invalid_argument("inner");
                                    }
                                    catch (...) {
                                        std::throw_with_nested(std::runtime_error("outer"));
                                    }
                                }),
                                8);
    with<std::runtime_error>(error, [](const std::runtime_error& e) {
        BOOST_TEST(e.what() == "outer");
        BOOST_TEST(info<errinfo_task_index>(e) == 8u);
        BOOST_TEST(info<errinfo_type_name>(e) == "std::runtime_error");
        BOOST_CHECK_THROW(std::rethrow_if_nested(e), std::invalid_argument);
    });
}

BOOST_AUTO_TEST_CASE(annotated_exceptions_survive_boost_current_exception)
{
    const auto error =
        annotate(thrown_by([] { throw std::system_error(std::make_error_code(std::errc::io_error)); }), 9);
    boost::exception_ptr copy;
    try {
        std::rethrow_exception(error);
    }
    catch (...) {
        copy = boost::current_exception();
    }
    const auto again = thrown_by([&] { boost::rethrow_exception(copy); });
    with<std::system_error>(again, [](const std::system_error& e) { BOOST_TEST(info<errinfo_task_index>(e) == 9u); });
}

BOOST_AUTO_TEST_CASE(diagnostic_information_reads_like_a_report)
{
    const auto error = annotate(thrown_by([] { throw std::out_of_range("beyond"); }), 7, "(1, 2)");
    with<std::out_of_range>(error, [](const std::out_of_range& e) {
        const std::string text = boost::diagnostic_information(e);
        for (const char* line :
             {"what: beyond\n", "Task index: 7\n", "Input: (1, 2)\n", "Thrown type: std::out_of_range\n"})
            BOOST_TEST(text.find(line) != std::string::npos, text);
    });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_register_exception)

BOOST_AUTO_TEST_CASE(standard_types_need_no_registration) { BOOST_TEST(register_exception<std::range_error>()); }

BOOST_AUTO_TEST_CASE(of_two_types_with_one_name_neither_is_known)
{
    BOOST_TEST(!register_exception<ambiguous_error>());
    const auto error = thrown_by([] { throw ambiguous_error("which?"); });
    BOOST_TEST((annotate(error, 4) == error));
}

BOOST_AUTO_TEST_CASE(a_type_may_be_registered_twice) { BOOST_TEST(register_exception<registered_error>()); }

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_worker_died)

BOOST_AUTO_TEST_CASE(it_says_who_died_of_what_in_which_task)
{
    const worker_died e(4711, {.known = true, .signal = SIGSEGV}, 50);
    BOOST_TEST(e.what() == "worker 4711 was killed by signal 11 (Segmentation fault) while it ran task 50");
    BOOST_TEST((e.code() == errc::worker_died));
    BOOST_TEST(e.pid() == 4711);
    BOOST_TEST(e.signal() == SIGSEGV);
    BOOST_TEST(e.status_known());
    BOOST_TEST(e.has_task());
    BOOST_TEST(e.task_index() == 50u);
}

BOOST_AUTO_TEST_CASE(it_says_what_is_known)
{
    const worker_died exited(4711, {.known = true, .exit_code = 3});
    BOOST_TEST(exited.what() == "worker 4711 ended with exit code 3");
    BOOST_TEST(exited.exit_code() == 3);
    BOOST_TEST(!exited.has_task());

    const worker_died killed(4711, {.known = true, .signal = SIGKILL}, 1, "last words");
    BOOST_TEST(killed.what() ==
               "worker 4711 was killed by signal 9 (Killed), perhaps by the kernel's out-of-memory killer, "
               "while it ran task 1: last words");

    const worker_died unknown(4711, {.known = false, .signal = 5});
    BOOST_TEST(unknown.what() ==
               "worker 4711 ended with unknown status (is SIGCHLD ignored, or does the program reap all "
               "children itself?)");
    BOOST_TEST(unknown.signal() == 0);
    BOOST_TEST(!unknown.status_known());
}

BOOST_AUTO_TEST_CASE(it_says_what_the_worker_was_doing)
{
    const worker_died::circumstances last{.phase = life_phase::decode,
                                          .resident_size = 300 << 20,
                                          .out_of_memory = memory_verdict::likely,
                                          .stderr_tail = "one\nlow on\tmemory\n\n"};
    const worker_died e(4711, {.known = true, .signal = SIGKILL}, 1, "", last);
    BOOST_TEST(e.what() ==
               "worker 4711 was killed by signal 9 (Killed), by the kernel's out-of-memory killer, while it ran task 1 "
               "(decoding the arguments); the last that it wrote: low on memory");
    BOOST_TEST((e.phase() == life_phase::decode));
    BOOST_TEST(e.resident_size() == std::size_t(300) << 20);
    BOOST_TEST((e.out_of_memory() == memory_verdict::likely));
    BOOST_TEST(e.stderr_tail() == last.stderr_tail);

    const worker_died idle(4711, {.known = true, .signal = SIGKILL}, {}, "",
                           {.phase = life_phase::idle, .out_of_memory = memory_verdict::unlikely});
    BOOST_TEST(idle.what() == "worker 4711 was killed by signal 9 (Killed) while idle");
}

BOOST_AUTO_TEST_CASE(its_diagnostic_information_reads_like_a_report)
{
    const auto error = detail::make_worker_died(4711, {.known = true, .signal = SIGSEGV}, 50, "", "(1, 2)",
                                                {.phase = life_phase::call,
                                                 .resident_size = 300 << 20,
                                                 .out_of_memory = memory_verdict::unlikely,
                                                 .stderr_tail = "one\ntwo\n"});
    with<worker_died>(error, [](const worker_died& e) {
        BOOST_TEST((info<errinfo_life_phase>(e) == life_phase::call));
        BOOST_TEST(info<errinfo_stderr_tail>(e) == "one\ntwo\n");
        const std::string report = boost::diagnostic_information(e);
        for (const char* line :
             {"killed by signal 11 (Segmentation fault)", "Task index: 50\n", "In process: 4711\n", "Input: (1, 2)\n",
              "The worker was: calling the function\n", "Resident size: 300 MiB\n", "Out of memory: unlikely\n",
              "The end of its standard error:\n  one\n  two\n"})
            BOOST_TEST(report.find(line) != std::string::npos, line << " is not in " << report);
    });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_make_error)

BOOST_AUTO_TEST_CASE(errors_carry_their_task)
{
    const auto error = detail::make_error(errc::task_timed_out, "2s were not enough", 12);
    with<twat::mp::error>(error, [](const twat::mp::error& e) {
        BOOST_TEST((e.code() == errc::task_timed_out));
        BOOST_TEST(std::string(e.what()).starts_with("2s were not enough"));
        BOOST_TEST(info<errinfo_task_index>(e) == 12u);
    });
    BOOST_TEST((task_index(error) == 12u));
    BOOST_TEST(!task_index(detail::make_error(errc::pool_closed)));
}

BOOST_AUTO_TEST_CASE(errors_nest_their_cause)
{
    const auto died = detail::make_worker_died(4711, {.known = true, .signal = SIGSEGV}, 50);
    const auto error = detail::make_nested(errc::task_quarantined, "given up", died, 50);
    with<twat::mp::error>(error, [](const twat::mp::error& e) {
        BOOST_TEST((e.code() == errc::task_quarantined));
        with<worker_died>(thrown_by([&] { std::rethrow_if_nested(e); }), [](const worker_died& cause) {
            BOOST_TEST(cause.signal() == SIGSEGV);
            BOOST_TEST(info<errinfo_worker_pid>(cause) == 4711);
        });
        const std::string text = boost::diagnostic_information(e);
        BOOST_TEST(text.find("killed by signal 11") != std::string::npos, text);
    });
    with<twat::mp::error>(detail::make_nested(errc::pool_broken, "", nullptr),
                          [](const twat::mp::error& e) { BOOST_CHECK_NO_THROW(std::rethrow_if_nested(e)); });
}

BOOST_AUTO_TEST_SUITE_END()
