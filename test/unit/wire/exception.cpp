// SPDX-License-Identifier: BSL-1.0
#include "wire/exception.hpp"

#include <boost/asio/error.hpp>
#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/enable_error_info.hpp>
#include <boost/exception/errinfo_file_name.hpp>
#include <boost/exception/errinfo_nested_exception.hpp>
#include <boost/exception_ptr.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/throw_exception.hpp>

#include <any>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <variant>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/register_exception.hpp>
#include <twat/mp/worker_died.hpp>

using namespace twat::mp;
using detail::decode_exception;
using detail::encode_exception;

namespace {

constexpr std::uint64_t task = 50;
constexpr int pid = 4711;

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

encoder encoded(const std::exception_ptr& error)
{
    encoder out;
    encode_exception(out, error, {.input = "17"});
    return out;
}

std::exception_ptr decoded(const encoder& bytes)
{
    decoder in(bytes.bytes());
    return decode_exception(in, task, pid);
}

template <class F>
std::exception_ptr travelled(F f)
{
    return decoded(encoded(thrown_by(f)));
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

struct from_text : std::runtime_error
{
    using runtime_error::runtime_error;
};
const bool from_text_known = register_exception<from_text>();

struct derived_from_text : from_text
{
    using from_text::from_text;
};

struct leaf_from_text : from_text
{
    using from_text::from_text;
};
const bool leaf_from_text_known = register_exception<leaf_from_text>();

struct with_words_around : std::runtime_error
{
    explicit with_words_around(const std::string& what) : runtime_error("around <" + what + ">") {}
};
const bool with_words_around_known = register_exception<with_words_around>();

struct encodable_only
{
    std::string text;
    std::vector<int> numbers;
};
const bool encodable_only_known = register_exception<encodable_only>();

enum class number_of_error { one = 1, two };
const bool number_of_error_known = register_exception<number_of_error>();

struct with_codec : std::runtime_error
{
    with_codec(const std::string& what, int number) : runtime_error(what), number(number) {}
    int number;
};

struct cannot_be_encoded : std::domain_error
{
    using domain_error::domain_error;
};

struct final_error final : std::runtime_error
{
    using runtime_error::runtime_error;
};
const bool final_error_known = register_exception<final_error>();

struct from_boost : virtual std::exception, virtual boost::exception
{
    explicit from_boost(std::string what) : what_(std::move(what)) {}
    const char* what() const noexcept override { return what_.c_str(); }
    std::string what_;
};
const bool from_boost_known = register_exception<from_boost>();

struct clones_otherwise : std::runtime_error
{
    using runtime_error::runtime_error;
    virtual clones_otherwise* clone() const { return new clones_otherwise(*this); }
    virtual void rethrow() { throw *this; }
};
const bool clones_otherwise_known = register_exception<clones_otherwise>();

struct always_nests : std::runtime_error, std::nested_exception
{
    using runtime_error::runtime_error;
};
const bool always_nests_known = register_exception<always_nests>();

struct throws_when_made : std::range_error
{
    explicit throws_when_made(const std::string& what) : range_error(what)
    {
        if (what.empty() || what[0] != '!')
            throw std::logic_error("made");
    }
    const char* what() const noexcept override { return "without the mark"; }
};
const bool throws_when_made_known = register_exception<throws_when_made>();

// exceptions.cpp registers another type of this name.
struct ambiguous_error : std::range_error
{
    using range_error::range_error;
};
[[maybe_unused]] const bool ambiguous_known = register_exception<ambiguous_error>();

struct unregistered : std::length_error
{
    using length_error::length_error;
};

struct own_category : std::error_category
{
    const char* name() const noexcept override { return "own"; }
    std::string message(int value) const override { return "own message " + std::to_string(value); }
};

struct throws_when_copied : std::underflow_error
{
    throws_when_copied() : underflow_error("copied") {}
    throws_when_copied(const throws_when_copied& other) : underflow_error(other) { throw 1; }
};

struct says_null : std::overflow_error
{
    says_null() : overflow_error("") {}
    const char* what() const noexcept override { return nullptr; }
};

struct runtime_and_logic : std::runtime_error, std::logic_error
{
    runtime_and_logic() : runtime_error("both"), logic_error("of them") {}
};

struct nothing_known
{};

void nest(int levels)
{
    try {
        if (levels > 1)
            nest(levels - 1);
        else
            throw std::invalid_argument("level 1");
    }
    catch (...) {
        std::throw_with_nested(std::runtime_error("level " + std::to_string(levels + 1)));
    }
}

// --- the table of exceptions

struct shape
{
    const char* name;
    std::function<void()> raise;
    std::function<void(const std::exception_ptr&)> check_type;
    const char* type_name; ///< The end of it; compilers differ in inline namespaces.
};

/// An exception that arrives as the same type, with the same `what()`; `check` compares the rest.
template <class E, class Check = void (*)(const E&)>
shape same(
    const char* name, E thrown, Check check = [](const E&) {})
{
    const std::string what = thrown.what();
    return {name, [=] { throw thrown; },
            [=](const std::exception_ptr& error) {
                with<E>(error, [&](const E& e) {
                    BOOST_TEST(e.what() == what);
                    check(e);
                });
            },
            ""};
}

/// An exception that arrives as a base of the one thrown.
template <class Base, class F>
shape as(const char* name, F raise, const char* what, const char* type_name)
{
    return {name, raise,
            [=](const std::exception_ptr& error) {
                with<Base>(error, [&](const Base& e) {
                    BOOST_TEST(e.what() == what);
                    // Not as something more special than that.
                    BOOST_TEST((boost::get_error_info<errinfo_type_name>(e) != nullptr));
                });
            },
            type_name};
}

template <class T>
shape remote(const char* name, T value, const char* what, const char* type_name)
{
    return {name, [=] { throw value; },
            [=](const std::exception_ptr& error) {
                with<remote_error>(error, [&](const remote_error& e) {
                    BOOST_TEST(e.what() == what);
                    BOOST_TEST(e.type_name().ends_with(type_name), e.type_name());
                });
            },
            type_name};
}

const own_category own;

std::vector<shape> shapes()
{
    using namespace std::filesystem;
    using boost::system::error_code;
    const auto denied = std::make_error_code(std::errc::permission_denied);
    return {
        same("logic_error", std::logic_error("l")),
        same("invalid_argument", std::invalid_argument("i")),
        same("domain_error", std::domain_error("d")),
        same("length_error", std::length_error("l")),
        same("out_of_range", std::out_of_range("o")),
        same("future_error", std::future_error(std::future_errc::no_state),
             [](const std::future_error& e) { BOOST_TEST((e.code() == std::future_errc::no_state)); }),
        same("runtime_error", std::runtime_error("r")),
        same("range_error", std::range_error("r")),
        same("overflow_error", std::overflow_error("o")),
        same("underflow_error", std::underflow_error("u")),
        same("regex_error", std::regex_error(std::regex_constants::error_paren),
             [](const std::regex_error& e) { BOOST_TEST((e.code() == std::regex_constants::error_paren)); }),
        same("system_error", std::system_error(denied, "tried"),
             [=](const std::system_error& e) {
                 BOOST_TEST((e.code() == denied));
                 BOOST_TEST(&e.code().category() == &std::generic_category());
             }),
        same("system_error, own category", std::system_error(7, own),
             [](const std::system_error& e) {
                 BOOST_TEST(e.code().value() == 7);
                 BOOST_TEST(e.code().category().name() == "own");
                 BOOST_TEST(e.code().message() == "own message 7");
             }),
        same("filesystem_error", filesystem_error("removed", "/a", "/b c", denied),
             [=](const filesystem_error& e) {
                 BOOST_TEST(e.path1() == path("/a"));
                 BOOST_TEST(e.path2() == path("/b c"));
                 BOOST_TEST((e.code() == denied));
             }),
        same("ios_base::failure", std::ios_base::failure("read", std::io_errc::stream),
             [](const std::ios_base::failure& e) { BOOST_TEST((e.code() == std::io_errc::stream)); }),
        same("boost system_error", boost::system::system_error(boost::asio::error::connection_refused, "dialled"),
             [](const boost::system::system_error& e) {
                 BOOST_TEST((e.code() == boost::asio::error::connection_refused));
             }),
        same("boost system_error of asio", boost::system::system_error(boost::asio::error::eof),
             [](const boost::system::system_error& e) { BOOST_TEST((e.code() == boost::asio::error::eof)); }),
        same("mp::error", twat::mp::error(errc::queue_full, "5 wait"),
             [](const twat::mp::error& e) { BOOST_TEST((e.code() == errc::queue_full)); }),
        same("worker_died", worker_died(1234, {.known = true, .signal = 11}, 3, "note"),
             [](const worker_died& e) {
                 BOOST_TEST((e.code() == errc::worker_died));
                 BOOST_TEST(e.pid() == 1234);
                 BOOST_TEST(e.signal() == 11);
                 BOOST_TEST(e.exit_code() == 0);
                 BOOST_TEST(e.status_known());
                 BOOST_TEST(e.has_task());
                 BOOST_TEST(e.task_index() == 3u);
             }),
        same("worker_died, all that is known",
             worker_died(1234, {.known = true, .signal = 9}, 3, "",
                         {.phase = life_phase::encode,
                          .resident_size = 5000,
                          .out_of_memory = memory_verdict::likely,
                          .stderr_tail = "x\n"}),
             [](const worker_died& e) {
                 BOOST_TEST((e.phase() == life_phase::encode));
                 BOOST_TEST(e.resident_size() == 5000u);
                 BOOST_TEST((e.out_of_memory() == memory_verdict::likely));
                 BOOST_TEST(e.stderr_tail() == "x\n");
             }),
        same("worker_died, exit", worker_died(1234, {.known = true, .exit_code = 5}),
             [](const worker_died& e) {
                 BOOST_TEST(e.exit_code() == 5);
                 BOOST_TEST(!e.has_task());
             }),
        same("remote_error", remote_error("foo::bar", "baz"),
             [](const remote_error& e) { BOOST_TEST(e.type_name() == "foo::bar"); }),
        same("exception", std::exception()),
        same("bad_alloc", std::bad_alloc()),
        same("bad_array_new_length", std::bad_array_new_length()),
        same("bad_cast", std::bad_cast()),
        same("bad_any_cast", std::bad_any_cast()),
        same("bad_typeid", std::bad_typeid()),
        same("bad_function_call", std::bad_function_call()),
        same("bad_weak_ptr", std::bad_weak_ptr()),
        same("bad_exception", std::bad_exception()),
        same("bad_optional_access", std::bad_optional_access()),
        same("bad_variant_access", std::bad_variant_access()),
        // registered
        same("registered", from_text("mine")),
        same("registered, derived", leaf_from_text("mine")),
        same("registered, words around", with_words_around("mine")),
        same("registered, boost", from_boost("mine")),
        same("registered, clones", clones_otherwise("mine")),
        same("registered, always nests", always_nests("mine")),
        as<from_text>(
            "derived from registered", [] { throw derived_from_text("d"); }, "d", "derived_from_text"),
        as<std::range_error>(
            "registered, cannot be made", [] { throw throws_when_made("!"); }, "without the mark", "throws_when_made"),
        // derived from standard ones
        as<std::length_error>(
            "unregistered", [] { throw unregistered("u"); }, "u", "unregistered"),
        as<std::range_error>(
            "one of two with the same name", [] { throw ambiguous_error("a"); }, "a", "ambiguous_error"),
        as<std::underflow_error>(
            "throws when copied", [] { throw throws_when_copied(); }, "copied", "throws_when_copied"),
        as<std::overflow_error>(
            "null", [] { throw says_null(); }, "(what() of (anonymous namespace)::says_null returned null)",
            "says_null"),
        as<std::runtime_error>(
            "two bases", [] { throw runtime_and_logic(); }, "both", "runtime_and_logic"),
        as<std::range_error>(
            "throw_exception", [] { BOOST_THROW_EXCEPTION(std::range_error("r")); }, "r", "std::range_error"),
        as<std::range_error>(
            "enable_current_exception", [] { throw boost::enable_current_exception(std::range_error("r")); }, "r",
            "std::range_error"),
        as<from_text>(
            "registered, wrapped", [] { BOOST_THROW_EXCEPTION(from_text("r")); }, "r", "from_text"),
        as<std::ios_base::failure>(
            "stream",
            [] {
                std::ifstream file;
                file.exceptions(std::ios::failbit);
                file.open("/nowhere/at/all");
            },
            "basic_ios::clear: iostream error", "std::ios_base::failure"),
        // anything else
        remote("int", 42, "42", "int"),
        remote("bool", true, "true", "bool"),
        remote("double", 0.5, "0.500000", "double"),
        remote<const char*>("literal", "text", "text", "char const*"),
        remote<const char*>("null text", nullptr, "(null)", "char const*"),
        remote("string", std::string("text"), "text", ""),
        remote("error_code", std::error_code(7, own), "own message 7", "std::error_code"),
        remote("class", nothing_known(),
               "an exception of type (anonymous namespace)::nothing_known, which says nothing", "nothing_known"),
    };
}

} // namespace

template <>
struct twat::mp::codec<with_codec>
{
    static void encode(encoder& out, const with_codec& value)
    {
        out.write(std::string(value.what()));
        out.write(value.number);
    }
    static with_codec decode(decoder& in)
    {
        const auto what = in.read<std::string>();
        return {what, in.read<int>()};
    }
};

template <>
struct twat::mp::codec<cannot_be_encoded>
{
    static void encode(encoder& out, const cannot_be_encoded&)
    {
        out.write(1);
        throw std::runtime_error("encode");
    }
    static cannot_be_encoded decode(decoder&) { return cannot_be_encoded("never"); }
};

namespace {
const bool with_codec_known = register_exception<with_codec>();
const bool cannot_be_encoded_known = register_exception<cannot_be_encoded>();
} // namespace

BOOST_AUTO_TEST_SUITE(test_wire_exception)

BOOST_AUTO_TEST_CASE(every_exception_arrives_as_what_it_was_with_its_task)
{
    for (const shape& s : shapes())
        BOOST_TEST_CONTEXT(s.name)
        {
            const std::exception_ptr error = travelled(s.raise);
            s.check_type(error);
            with<boost::exception>(error, [&](const boost::exception& e) {
                BOOST_TEST(info<errinfo_task_index>(e) == task);
                BOOST_TEST(info<errinfo_worker_pid>(e) == pid);
                BOOST_TEST(info<errinfo_input>(e) == "17");
                BOOST_TEST(info<errinfo_type_name>(e).ends_with(s.type_name), info<errinfo_type_name>(e));
                BOOST_TEST(!info<errinfo_type_name>(e).empty());
            });
            BOOST_TEST((task_index(error) == task));
        }
}

BOOST_AUTO_TEST_CASE(every_exception_survives_a_second_journey)
{
    for (const shape& s : shapes())
        BOOST_TEST_CONTEXT(s.name)
        {
            const std::exception_ptr error = decoded(encoded(travelled(s.raise)));
            s.check_type(error);
            with<boost::exception>(error, [&](const boost::exception& e) {
                BOOST_TEST(info<errinfo_type_name>(e).ends_with(s.type_name), info<errinfo_type_name>(e));
            });
        }
}

BOOST_AUTO_TEST_CASE(standard_bases_are_not_arrived_at_too_early)
{
    // The most derived one: a catch of the thrown type must work, a catch of another leaf must not.
    const auto error = travelled([] { throw std::bad_array_new_length(); });
    with<std::bad_array_new_length>(error, [](const std::bad_array_new_length&) {});
    const auto base = travelled([] { throw std::bad_alloc(); });
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(base), std::bad_alloc, [](const std::bad_alloc& e) {
        return dynamic_cast<const std::bad_array_new_length*>(&e) == nullptr;
    });
}

BOOST_AUTO_TEST_CASE(encodable_exceptions_arrive_with_all_that_they_hold)
{
    BOOST_TEST((encodable_only_known && number_of_error_known && with_codec_known));
    const auto plain = travelled([] { throw encodable_only{"text", {1, 2}}; });
    with<encodable_only>(plain, [](const encodable_only& e) {
        BOOST_TEST(e.text == "text");
        BOOST_TEST((e.numbers == std::vector{1, 2}));
    });
    with<boost::exception>(plain, [](const boost::exception& e) { BOOST_TEST(info<errinfo_task_index>(e) == task); });
    with<with_codec>(travelled([] { throw with_codec("text", 5); }), [](const with_codec& e) {
        BOOST_TEST(e.what() == "text");
        BOOST_TEST(e.number == 5);
    });
    const auto two = travelled([] { throw number_of_error::two; });
    with<number_of_error>(two, [](number_of_error e) { BOOST_TEST((e == number_of_error::two)); });
    BOOST_TEST((task_index(two) == task));
}

BOOST_AUTO_TEST_CASE(a_codec_that_throws_leaves_the_standard_base)
{
    BOOST_TEST(cannot_be_encoded_known);
    with<std::domain_error>(travelled([] { throw cannot_be_encoded("d"); }), [](const std::domain_error& e) {
        BOOST_TEST(e.what() == "d");
        BOOST_TEST(info<errinfo_type_name>(e).ends_with("cannot_be_encoded"));
    });
}

BOOST_AUTO_TEST_CASE(a_final_registered_type_arrives_bare_and_its_task_is_known)
{
    BOOST_TEST(final_error_known);
    const auto error = travelled([] { throw final_error("end"); });
    with<final_error>(error, [](const final_error& e) { BOOST_TEST(e.what() == "end"); });
    BOOST_TEST((task_index(error) == task));
}

BOOST_AUTO_TEST_CASE(each_decoding_makes_a_fresh_exception)
{
    const encoder bytes = encoded(thrown_by([] { throw std::runtime_error("one"); }));
    const auto first = decoded(bytes), second = decoded(bytes);
    BOOST_TEST((first != second));
    with<std::runtime_error>(second, [](const std::runtime_error& e) { BOOST_TEST(e.what() == "one"); });
}

BOOST_AUTO_TEST_CASE(nested_exceptions_arrive_nested)
{
    auto error = travelled([] { nest(10); });
    for (int level = 11; level > 1; --level) {
        std::exception_ptr inner;
        with<std::runtime_error>(error, [&](const std::runtime_error& e) {
            BOOST_TEST(e.what() == "level " + std::to_string(level));
            BOOST_TEST(info<errinfo_type_name>(e) == "std::runtime_error");
            inner = thrown_by([&] { std::rethrow_if_nested(e); });
        });
        error = inner;
    }
    with<std::invalid_argument>(error, [](const std::invalid_argument& e) { BOOST_TEST(e.what() == "level 1"); });
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded)
{
    const encoder bytes = encoded(thrown_by([] { nest(200); }));
    BOOST_TEST(bytes.size() < 20'000u);
    with<std::runtime_error>(decoded(bytes), [](const std::runtime_error& e) { BOOST_TEST(e.what() == "level 201"); });
}

BOOST_AUTO_TEST_CASE(many_journeys_do_not_make_nested_exceptions_grow)
{
    std::exception_ptr error = thrown_by([] { nest(5); });
    encoder bytes = encoded(error);
    for (int i = 0; i < 8; ++i) {
        bytes = encoded(error);
        error = decoded(bytes);
    }
    BOOST_TEST(bytes.size() < 20'000u);
}

BOOST_AUTO_TEST_CASE(a_registered_type_that_always_nests_may_nest_nothing)
{
    with<always_nests>(travelled([] { throw always_nests("alone"); }),
                       [](const always_nests& e) { BOOST_TEST(!e.nested_ptr()); });
    const auto error = travelled([] {
        try {
            throw std::range_error("inner");
        }
        catch (...) {
            throw always_nests("outer");
        }
    });
    with<always_nests>(error, [](const always_nests& e) { BOOST_CHECK_THROW(e.rethrow_nested(), std::range_error); });
}

BOOST_AUTO_TEST_CASE(nesting_in_the_way_of_boost_is_kept_for_both_ways)
{
    const auto error = travelled([] {
        throw boost::enable_error_info(std::range_error("outer"))
            << boost::errinfo_nested_exception(boost::copy_exception(std::out_of_range("inner")));
    });
    with<std::range_error>(error, [](const std::range_error& e) {
        BOOST_CHECK_THROW(std::rethrow_if_nested(e), std::out_of_range);
        BOOST_CHECK_THROW(boost::rethrow_exception(info<boost::errinfo_nested_exception>(e)), std::out_of_range);
    });
}

BOOST_AUTO_TEST_CASE(error_infos_and_the_place_of_the_throw_arrive_as_text)
{
    const auto error = travelled([] {
        BOOST_THROW_EXCEPTION(boost::enable_error_info(std::range_error("far")) << boost::errinfo_file_name("a.txt"));
    });
    with<std::range_error>(error, [](const std::range_error& e) {
        const std::string text = boost::diagnostic_information(e);
        for (const char* part : {"a.txt", "wire/exception.cpp:", "what: far\n", "Task index: 50\n",
                                 "In process: 4711\n", "Thrown type: std::range_error\n", "Input: 17\n"})
            BOOST_TEST(text.find(part) != std::string::npos, text);
    });
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_and_say_so)
{
    const std::string megabyte(1 << 20, 'x');
    const encoder bytes = encoded(thrown_by([&] { throw std::runtime_error(megabyte); }));
    BOOST_TEST(bytes.size() < 70'000u);
    with<std::runtime_error>(decoded(bytes), [](const std::runtime_error& e) {
        const std::string what = e.what();
        BOOST_TEST(what.starts_with("xxxx"));
        BOOST_TEST(what.ends_with("x... (983040 bytes more)"));
    });
}

BOOST_AUTO_TEST_CASE(an_exception_fits_into_any_room_with_less_detail)
{
    const auto error = thrown_by([] { throw std::range_error(std::string(5000, 'x')); });
    encoder whole;
    encode_exception(whole, error);
    for (std::size_t limit = 0; limit <= whole.size(); limit += 50) {
        encoder out(limit + 3);
        out.write_bytes("abc", 3);
        encode_exception(out, error);
        BOOST_TEST(out.size() <= limit + 3);
        decoder in(out.bytes().subspan(3));
        const auto arrived = decode_exception(in, task, pid);
        BOOST_TEST((task_index(arrived) == task));
        if (limit > 500)
            with<std::range_error>(
                arrived, [](const std::range_error& e) { BOOST_TEST(std::string(e.what()).starts_with("xxx")); });
        else if (out.size() == 3)
            with<remote_error>(arrived, [](const remote_error&) {});
    }
}

BOOST_AUTO_TEST_CASE(without_an_index_it_tells_only_the_worker)
{
    const encoder bytes = encoded(thrown_by([] { throw std::runtime_error("initializer"); }));
    decoder in(bytes.bytes());
    with<std::runtime_error>(decode_exception(in, std::nullopt, pid), [](const std::runtime_error& e) {
        BOOST_TEST(!boost::get_error_info<errinfo_task_index>(e));
        BOOST_TEST(info<errinfo_worker_pid>(e) == pid);
    });
}

BOOST_AUTO_TEST_CASE(truncated_bytes_make_a_decode_error)
{
    for (const shape& s : shapes()) {
        const encoder bytes = encoded(thrown_by(s.raise));
        for (std::size_t size = 1; size < bytes.size(); ++size) {
            decoder in(bytes.bytes().first(size));
            with<twat::mp::error>(decode_exception(in, task, pid), [](const twat::mp::error& e) {
                BOOST_TEST((e.code() == errc::decode_failed));
                BOOST_TEST(info<errinfo_task_index>(e) == task);
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(damaged_bytes_make_some_exception)
{
    std::mt19937 random(1);
    const encoder nested = encoded(thrown_by([] { nest(3); }));
    for (const shape& s : shapes()) {
        const encoder whole = encoded(thrown_by(s.raise));
        for (const encoder* bytes : {&whole, &nested})
            for (int i = 0; i < 200; ++i) {
                std::vector<std::byte> damaged(bytes->bytes().begin(), bytes->bytes().end());
                for (int flips = 1 + i % 3; flips > 0; --flips)
                    damaged[random() % damaged.size()] = static_cast<std::byte>(random());
                decoder in(damaged);
                const auto error = decode_exception(in, task, pid);
                BOOST_TEST_REQUIRE(!!error);
                BOOST_TEST((task_index(error) == task));
            }
    }
}

BOOST_AUTO_TEST_SUITE_END()
