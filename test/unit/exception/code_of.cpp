// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/exceptions.hpp>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

using namespace twat::mp;

BOOST_AUTO_TEST_SUITE(test_code_of)

BOOST_AUTO_TEST_CASE(no_exception_is_no_error)
{
    BOOST_TEST(!code_of(nullptr));
    BOOST_TEST(what_of(nullptr).empty());
}

BOOST_AUTO_TEST_CASE(exceptions_with_a_code_keep_it)
{
    BOOST_TEST((code_of(detail::make_error(errc::worker_died)) == errc::worker_died));
    BOOST_TEST((code_of(detail::make_aborted()) == asio::error::operation_aborted));
    BOOST_TEST((code_of(std::make_exception_ptr(std::system_error(ENOENT, std::generic_category(), "no file"))) ==
                boost::system::errc::no_such_file_or_directory));
    BOOST_TEST((code_of(std::make_exception_ptr(std::future_error(std::future_errc::no_state))) ==
                std::error_code(std::future_errc::no_state)));
}

BOOST_AUTO_TEST_CASE(others_get_one)
{
    BOOST_TEST((code_of(std::make_exception_ptr(std::bad_alloc())) == boost::system::errc::not_enough_memory));
    BOOST_TEST((code_of(std::make_exception_ptr(std::domain_error("three"))) == errc::task_threw));
    BOOST_TEST((code_of(std::make_exception_ptr(42)) == errc::task_threw));
}

BOOST_AUTO_TEST_CASE(what_of_is_the_text_or_the_type)
{
    BOOST_TEST(what_of(std::make_exception_ptr(std::domain_error("three"))) == "three");
    BOOST_TEST(what_of(std::make_exception_ptr(42)) == "int");
    BOOST_TEST(what_of(std::make_exception_ptr(std::string("text"))).find("string") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
