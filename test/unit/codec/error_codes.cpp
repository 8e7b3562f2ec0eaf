// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/categories.hpp>

#include <twat/mp/codec.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <ios>
#include <string>
#include <system_error>

#include "round_trip.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_codec_error_codes)

template <class Base>
class named_category final : public Base
{
public:
    explicit named_category(std::string name) : name_(std::move(name)) {}
    const char* name() const noexcept override { return name_.c_str(); }
    std::string message(int value) const override { return name_ + " says " + std::to_string(value); }

private:
    std::string name_;
};

/// The bytes of a code whose category this process has never seen.
template <class Code>
std::vector<std::byte> foreign(int value, const std::string& name, const std::string& message)
{
    encoder out;
    out.write(static_cast<unsigned char>(0xff));
    out.write(value);
    out.write(name);
    out.write(message);
    out.write(false); // it says nothing about its place
    return {out.bytes().begin(), out.bytes().end()};
}

BOOST_AUTO_TEST_CASE(known_categories_keep_their_identity)
{
    BOOST_TEST((survives(std::error_code())));
    BOOST_TEST((survives(std::make_error_code(std::errc::timed_out))));
    BOOST_TEST((survives(std::error_code(5, std::system_category()))));
    BOOST_TEST((survives(std::make_error_code(std::io_errc::stream))));
    BOOST_TEST((survives(std::make_error_code(std::future_errc::no_state))));
    BOOST_TEST((survives(boost::system::error_code())));
    BOOST_TEST((survives(make_error_code(errc::worker_died))));
    BOOST_TEST((survives(boost::system::error_code(asio::error::eof))));
    BOOST_TEST((survives(boost::system::error_code(asio::error::host_not_found))));
    BOOST_TEST((survives(boost::system::error_code(asio::error::service_not_found))));
    BOOST_TEST((survives(boost::system::error_code(asio::error::operation_aborted))));
    BOOST_TEST((survives(boost::system::errc::make_error_code(boost::system::errc::timed_out))));
    // As std::error_code, made from one of Boost's.
    BOOST_TEST((survives(std::error_code(boost::system::error_code(asio::error::eof)))));
    BOOST_TEST((survives(std::error_code(make_error_code(errc::worker_died)))));
}

BOOST_AUTO_TEST_CASE(a_category_that_was_sent_once_is_known)
{
    static const named_category<std::error_category> std_kind("sent.std");
    static const named_category<boost::system::error_category> boost_kind("sent.boost");
    BOOST_TEST((survives(std::error_code(3, std_kind))));
    BOOST_TEST((survives(boost::system::error_code(3, boost_kind))));
}

BOOST_AUTO_TEST_CASE(a_registered_category_is_known)
{
    static const named_category<std::error_category> std_kind("registered.std");
    static const named_category<boost::system::error_category> boost_kind("registered.boost");
    register_error_category(std_kind);
    register_error_category(boost_kind);
    BOOST_TEST(
        (decoded<std::error_code>(foreign<std::error_code>(3, "registered.std", "")) == std::error_code(3, std_kind)));
    BOOST_TEST((decoded<boost::system::error_code>(foreign<boost::system::error_code>(3, "registered.boost", "")) ==
                boost::system::error_code(3, boost_kind)));
}

class plain_category final : public std::error_category
{
public:
    const char* name() const noexcept override { return "twin"; }
    std::string message(int) const override { return "plain"; }
};

// By their name they could not be told apart.
BOOST_AUTO_TEST_CASE(a_category_of_the_program_is_known_by_its_place)
{
    static const plain_category first, second;
    register_error_category(first);
    BOOST_TEST((survives(std::error_code(3, second))));
    BOOST_TEST((survives(std::error_code(3, first))));
    BOOST_TEST((round_trip(std::error_code(3, first)) != std::error_code(3, second)));
}

BOOST_AUTO_TEST_CASE(a_category_outside_of_the_program_is_known_by_its_name)
{
    // Never destroyed, as codes may refer to it for ever.
    static const plain_category& heap = *new plain_category;
    const auto back = round_trip(std::error_code(3, heap));
    BOOST_TEST(back.category().name() == std::string("twin"));
}

// Damage to the bytes may lead to any place.
BOOST_AUTO_TEST_CASE(a_place_without_the_category_is_not_used)
{
    static const plain_category category;
    const auto original = encoded(std::error_code(3, category));
    for (std::size_t at = original.size() - 16; at != original.size(); ++at) {
        for (unsigned bit = 0; bit != 8; ++bit) {
            auto bytes = original;
            bytes[at] ^= static_cast<std::byte>(1u << bit);
            BOOST_TEST((decoded<std::error_code>(bytes) != std::error_code(3, category)));
        }
    }
}

template <class Code>
void stand_in_keeps_name_and_message()
{
    const auto one = decoded<Code>(foreign<Code>(3, "unseen", "three"));
    const auto same = decoded<Code>(foreign<Code>(3, "unseen", "three"));
    const auto other = decoded<Code>(foreign<Code>(4, "unseen", "four"));
    BOOST_TEST(one.value() == 3);
    BOOST_TEST(one.category().name() == std::string("unseen"));
    BOOST_TEST(one.message() == "three");
    BOOST_TEST(other.message() == "four");
    BOOST_TEST((one == same));
    BOOST_TEST((one != other));
    BOOST_TEST((one.category() == other.category()));
    BOOST_TEST((survives(one)));
}

BOOST_AUTO_TEST_CASE(an_unknown_category_has_a_stand_in)
{
    stand_in_keeps_name_and_message<std::error_code>();
    stand_in_keeps_name_and_message<boost::system::error_code>();
}

BOOST_AUTO_TEST_SUITE_END()
