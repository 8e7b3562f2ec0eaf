// SPDX-License-Identifier: BSL-1.0
#include "function/function.hpp"

#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/register_function.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "function/module.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
namespace asio = boost::asio;

namespace {

template <class... Args>
byte_buffer encode_all(const Args&... args)
{
    encoder out;
    (out.write(args), ...);
    return std::move(out.buffer());
}

/// From bytes, as a worker does it.
std::unique_ptr<worker_function> decode_whole(const byte_buffer& bytes)
{
    decoder in(bytes.bytes());
    auto f = decode_function(in);
    BOOST_TEST(in.remaining() == 0u);
    return f;
}

/// Calls `f` the way round that a worker does, with arguments sent as they are.
template <class R, class F, class... Args>
R call_far(const F& f, const Args&... args)
{
    const auto function = decode_whole(encode_function<F, Args...>(f, false).bytes);
    BOOST_TEST(!function->is_coroutine());
    const auto arguments = encode_all(args...);
    decoder in(arguments.bytes());
    encoder out;
    function->call(in, out);
    BOOST_TEST(in.remaining() == 0u);
    decoder result(out.bytes());
    return result.read<R>();
}

std::string message_of(const byte_buffer& bytes, errc expected)
{
    decoder in(bytes.bytes());
    try {
        decode_function(in);
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == expected));
        return e.what();
    }
    BOOST_ERROR("nothing was thrown");
    return {};
}

byte_buffer copy_of(std::span<const std::byte> bytes)
{
    byte_buffer copy;
    copy.append(bytes.data(), bytes.size());
    return copy;
}

int twice(int x) { return 2 * x; }
int thrice(int x) noexcept { return 3 * x; }
double divide(double a, double b) { return a / b; }
std::string join(const std::string& a, const std::string& b, int n) { return a + b + std::to_string(n); }
std::size_t length(std::string_view text) { return text.size(); }
asio::awaitable<int> later(const std::string& text, int n)
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return static_cast<int>(text.size()) + n;
}
int unregistered(int x) { return x; }
int ambiguous_1(int x) { return x + 1; }
int ambiguous_2(int x) { return x + 2; }
constexpr auto registered_lambda = [](int x) { return x + 10; };

TWAT_MP_REGISTER(twice)
TWAT_MP_REGISTER(thrice)
TWAT_MP_REGISTER(join)
TWAT_MP_REGISTER(later)
TWAT_MP_REGISTER(length)
TWAT_MP_REGISTER(registered_lambda)
TWAT_MP_REGISTER_AS("division", divide)
TWAT_MP_REGISTER_AS("ambiguous", ambiguous_1)
TWAT_MP_REGISTER_AS("ambiguous", ambiguous_2)

struct multiplier // has a codec
{
    explicit multiplier(int factor) : factor_(factor) {}
    int operator()(int x) const { return factor_ * x; }
    int factor_;
};

} // namespace

template <>
struct twat::mp::codec<multiplier>
{
    static void encode(encoder& out, const multiplier& value) { out.write(value.factor_); }
    static multiplier decode(decoder& in) { return multiplier(in.read<int>()); }
};

BOOST_AUTO_TEST_SUITE(test_wire_function)

BOOST_AUTO_TEST_CASE(a_pointer_to_a_function_is_called)
{
    BOOST_TEST(call_far<int>(&twice, 21) == 42);
    BOOST_TEST(call_far<int>(&thrice, 5) == 15);
}

BOOST_AUTO_TEST_CASE(a_pointer_that_is_known_only_at_run_time_is_called)
{
    static int (*volatile functions[])(int) = {&twice, &thrice};
    for (int i = 0; i < 2; ++i) {
        int (*const function)(int) = functions[i];
        BOOST_TEST(call_far<int>(function, 10) == 10 * (2 + i));
    }
}

BOOST_AUTO_TEST_CASE(lambdas_of_one_shape_stay_apart)
{
    const auto one = [](int x) { return x + 1; };
    const auto two = [](int x) { return x + 2; };
    BOOST_TEST(call_far<int>(one, 5) == 6);
    BOOST_TEST(call_far<int>(two, 5) == 7);
}

BOOST_AUTO_TEST_CASE(a_generic_lambda_gets_the_types_that_were_sent)
{
    const auto sum = [](const auto& a, const auto& b) { return a + b; };
    BOOST_TEST(call_far<int>(sum, 1, 2) == 3);
    BOOST_TEST(call_far<std::string>(sum, std::string("a"), std::string("b")) == "ab");
}

BOOST_AUTO_TEST_CASE(arguments_come_as_rvalues)
{
    const auto take = [](std::vector<int>&& v) { return std::vector<int>(std::move(v)).size(); };
    BOOST_TEST(call_far<std::size_t>(take, std::vector<int>{1, 2, 3}) == 3u);
    const auto deref = [](std::unique_ptr<int> p) { return *p; };
    BOOST_TEST(call_far<int>(deref, std::make_unique<int>(4)) == 4);
}

BOOST_AUTO_TEST_CASE(a_result_is_sent_decayed)
{
    const auto global = []() -> const std::string& {
        static const std::string text = "text";
        return text;
    };
    BOOST_TEST(call_far<std::string>(global) == "text");
}

BOOST_AUTO_TEST_CASE(a_function_object_with_a_codec_takes_its_value_along)
{
    BOOST_TEST(call_far<int>(multiplier(7), 6) == 42);
}

BOOST_AUTO_TEST_CASE(partial_takes_its_values_along)
{
    BOOST_TEST(call_far<std::string>(partial(&join, "a", std::string("b")), 3) == "ab3");
    BOOST_TEST(call_far<std::string>(partial(partial(&join, "a"), "b"), 3) == "ab3");
    BOOST_TEST(call_far<int>(partial(multiplier(2), 4)) == 8);
    BOOST_TEST(call_far<int>(partial([](const std::vector<int>& v, int i) { return v[static_cast<std::size_t>(i)]; },
                                     std::vector<int>{5, 6}),
                             1) == 6);
}

BOOST_AUTO_TEST_CASE(a_void_function_writes_nothing)
{
    static int called = 0;
    const auto f = [](int x) { called += x; };
    const auto function = decode_whole(encode_function<decltype(f), int>(f, false).bytes);
    const auto arguments = encode_all(3);
    decoder in(arguments.bytes());
    encoder out;
    function->call(in, out);
    BOOST_TEST(called == 3);
    BOOST_TEST(out.size() == 0u);
}

BOOST_AUTO_TEST_CASE(exceptions_of_the_function_pass)
{
    const auto fail = [](int) -> int { throw std::domain_error("boom"); };
    BOOST_CHECK_THROW(call_far<int>(fail, 1), std::domain_error);
}

BOOST_AUTO_TEST_CASE(truncated_arguments_are_refused)
{
    const auto function = decode_whole(encode_function<int (*)(int), int>(&twice, false).bytes);
    decoder in;
    encoder out;
    BOOST_CHECK_EXCEPTION(function->call(in, out), error,
                          [](const error& e) { return e.code() == errc::decode_failed; });
}

template <class F>
std::optional<std::string> run_async(F&& start)
{
    asio::io_context context;
    std::optional<std::string> failure = "never done";
    asio::co_spawn(context, start(), [&](std::exception_ptr error) {
        failure.reset();
        try {
            if (error)
                std::rethrow_exception(error);
        }
        catch (const std::exception& e) {
            failure = e.what();
        }
    });
    context.run();
    return failure;
}

BOOST_AUTO_TEST_CASE(a_coroutine_keeps_its_arguments_until_it_is_done)
{
    // The user's coroutine takes them by reference and suspends; the bytes are gone before it starts.
    const auto function = decode_whole(encode_function<decltype(&later), std::string, int>(&later, false).bytes);
    BOOST_TEST(function->is_coroutine());
    auto arguments = std::make_unique<byte_buffer>(encode_all(std::string(100, 'x'), 5));
    encoder out;
    auto coroutine = function->call_async(decoder(arguments->bytes()), out);
    arguments.reset();
    BOOST_TEST(!run_async([&] { return std::move(coroutine); }).has_value());
    decoder result(out.bytes());
    BOOST_TEST(result.read<int>() == 105);
}

BOOST_AUTO_TEST_CASE(a_coroutine_can_refer_to_what_partial_bound)
{
    const auto f = partial(&later, std::string(100, 'x'));
    const auto function = decode_whole(encode_function<std::decay_t<decltype(f)>, int>(f, false).bytes);
    const auto arguments = encode_all(1);
    encoder out;
    BOOST_TEST(!run_async([&] { return function->call_async(decoder(arguments.bytes()), out); }).has_value());
    decoder result(out.bytes());
    BOOST_TEST(result.read<int>() == 101);
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_throws_or_returns_nothing)
{
    const auto fail = [](std::string text) -> asio::awaitable<void> {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        if (!text.empty())
            throw std::domain_error(text);
    };
    const auto function = decode_whole(encode_function<decltype(fail), std::string>(fail, false).bytes);
    const auto boom = encode_all(std::string("boom"));
    const auto nothing = encode_all(std::string());
    encoder out;
    BOOST_TEST(run_async([&] { return function->call_async(decoder(boom.bytes()), out); }).value() == "boom");
    BOOST_TEST(!run_async([&] { return function->call_async(decoder(nothing.bytes()), out); }).has_value());
    BOOST_TEST(out.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_coroutine_called_plainly_runs_to_its_end)
{
    const auto function = decode_whole(encode_function<decltype(&later), std::string, int>(&later, false).bytes);
    const auto arguments = encode_all(std::string("abc"), 1);
    decoder in(arguments.bytes());
    encoder out;
    function->call(in, out);
    decoder result(out.bytes());
    BOOST_TEST(result.read<int>() == 4);
}

BOOST_AUTO_TEST_CASE(arguments_are_described_as_text)
{
    const auto f = [](int, const std::string&, bool) {};
    const auto function = decode_whole(encode_function<decltype(f), int, std::string, bool>(f, false).bytes);
    const auto arguments = encode_all(7, std::string("abc"), true);
    BOOST_TEST(function->describe(decoder(arguments.bytes())) == "7, abc, true");
    BOOST_TEST(function->describe(decoder()) == "");
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_changed_byte_of_a_reference_is_refused_or_harmless)
{
    const auto f = partial([](int a, int b) { return a + b; }, 1);
    using type = std::decay_t<decltype(f)>;
    const auto whole = encode_function<type, int>(f, false).bytes;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        decoder in(whole.bytes().first(size));
        BOOST_CHECK_THROW(decode_function(in), error);
    }
    std::minstd_rand random(1);
    for (int round = 0; round < 20'000; ++round) {
        auto changed = copy_of(whole.bytes());
        for (int n = static_cast<int>(random() % 3); n >= 0; --n)
            changed.data()[random() % changed.size()] = static_cast<std::byte>(random());
        decoder in(changed.bytes());
        try {
            decode_function(in); // only names and the bound value may have changed
        }
        catch (const error&) {
        }
    }
}

BOOST_AUTO_TEST_CASE(every_place_but_the_right_one_is_refused)
{
    const auto f = [](int x) { return x; };
    const auto whole = encode_function<decltype(f), int>(f, false).bytes;
    const std::size_t offset_at = 1 + 8 + build_id().size();
    std::uint64_t right;
    std::memcpy(&right, whole.data() + offset_at, sizeof right);
    const auto main = loaded_modules()->front();
    BOOST_TEST(main->base() + right == reinterpret_cast<std::uintptr_t>(&thunk<std::decay_t<decltype(f)>, int>::d));

    std::size_t found = 0;
    const auto attempt = [&](std::uint64_t offset) {
        auto changed = copy_of(whole.bytes());
        std::memcpy(changed.data() + offset_at, &offset, sizeof offset);
        decoder in(changed.bytes());
        try {
            decode_function(in);
            ++found;
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::unknown_function));
        }
    };
    for (std::uint64_t delta = 1; delta < 500; ++delta) {
        attempt(right + delta);
        attempt(right - delta);
    }
    // The edges of everything that is loaded, and far outside.
    for (const auto& segment : main->segments())
        for (const std::uintptr_t edge : {segment.begin, segment.end, segment.memory_end})
            for (std::uint64_t delta = 0; delta < 64; ++delta) {
                attempt(edge - main->base() + delta);
                attempt(edge - main->base() - delta);
            }
    for (const std::uint64_t far : {std::uint64_t(0), ~std::uint64_t(0), ~std::uint64_t(7), std::uint64_t(1) << 63})
        attempt(far);
    BOOST_TEST(found == 0u);
    attempt(right);
    BOOST_TEST(found == 1u);
}

BOOST_AUTO_TEST_CASE(a_pointer_to_data_is_no_function)
{
    const auto whole = encode_function<int (*)(int), int>(&twice, false).bytes;
    // The pointer is the last thing sent: {identity, offset, module name}.
    const auto main = loaded_modules()->front();
    const std::size_t offset_at = whole.size() - std::min<std::size_t>(main->name().size(), 300) - 16;
    static int data = 0;
    std::uint64_t offset = reinterpret_cast<std::uintptr_t>(&twice) - main->base();
    BOOST_TEST(std::memcmp(whole.data() + offset_at, &offset, sizeof offset) == 0);
    offset = reinterpret_cast<std::uintptr_t>(&data) - main->base();
    auto changed = copy_of(whole.bytes());
    std::memcpy(changed.data() + offset_at, &offset, sizeof offset);
    BOOST_TEST(message_of(changed, errc::unknown_function).find("points to no code") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_module_that_is_not_loaded_is_named)
{
    auto changed = encode_function<int (*)(int), int>(&twice, false).bytes;
    changed.data()[9] ^= std::byte(1); // in the identity
    const auto other_build = message_of(changed, errc::build_mismatch);
    BOOST_TEST(other_build.find("another build of " + std::string(loaded_modules()->front()->name())) !=
               std::string::npos);

    const std::size_t name_at = 1 + 8 + build_id().size() + 8 + 8;
    changed.data()[name_at] = std::byte('~');
    const auto not_loaded = message_of(changed, errc::unknown_function);
    BOOST_TEST(not_loaded.find("has not loaded ~") != std::string::npos);
    BOOST_TEST(not_loaded.find("int (*)(int)") != std::string::npos);
    BOOST_TEST(not_loaded.find("initializer") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_null_pointer_is_refused_when_it_is_sent)
{
    int (*none)(int) = nullptr;
    BOOST_CHECK_EXCEPTION((encode_function<int (*)(int), int>(none, false)), error,
                          [](const error& e) { return e.code() == errc::unknown_function; });
}

// By name, for another program as worker.

template <class R, class F, class... Args>
R call_by_name(const F& f, const Args&... args)
{
    const auto function = decode_whole(encode_function<F, Args...>(f, true).bytes);
    const auto arguments = encode_all(args...);
    decoder in(arguments.bytes());
    encoder out;
    function->call(in, out);
    decoder result(out.bytes());
    return result.read<R>();
}

template <class F>
std::string refusal(F&& encode)
{
    try {
        encode();
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::unknown_function));
        return e.what();
    }
    BOOST_ERROR("nothing was thrown");
    return {};
}

BOOST_AUTO_TEST_CASE(registered_functions_are_found_by_name)
{
    BOOST_TEST(call_by_name<int>(&twice, 4) == 8);
    BOOST_TEST(call_by_name<int>(&thrice, 4) == 12);
    BOOST_TEST(call_by_name<int>(static_cast<int (*)(int)>(&thrice), 4) == 12);
    BOOST_TEST(call_by_name<int>(registered_lambda, 4) == 14);
    BOOST_TEST(call_by_name<double>(&divide, 1.0, 4.0) == 0.25);
    BOOST_TEST(call_by_name<std::size_t>(&length, std::string("four")) == 4u);
    BOOST_TEST(call_by_name<int>(&later, std::string("four"), 1) == 5);
}

BOOST_AUTO_TEST_CASE(registered_functions_can_have_bound_arguments)
{
    BOOST_TEST(call_by_name<std::string>(partial(&join, "a"), std::string("b"), 1) == "ab1");
    BOOST_TEST(call_by_name<std::string>(partial(&join, "a", "b"), 2) == "ab2");
    BOOST_TEST(call_by_name<std::string>(partial(partial(&join, "a"), "b", 3)) == "ab3");
}

BOOST_AUTO_TEST_CASE(an_unregistered_function_is_refused_when_it_is_sent)
{
    BOOST_TEST(refusal([] { encode_function<int (*)(int), int>(&unregistered, true); }).find("TWAT_MP_REGISTER") !=
               std::string::npos);
    const auto lambda = [](int x) { return x; };
    BOOST_TEST(refusal([&] { encode_function<decltype(lambda), int>(lambda, true); }).find("TWAT_MP_REGISTER") !=
               std::string::npos);
    BOOST_TEST(refusal([] { encode_function<multiplier, int>(multiplier(1), true); }).find("holds values") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_registered_function_is_called_with_its_own_types_only)
{
    const auto message = refusal([] { encode_function<int (*)(int), long>(&twice, true); });
    BOOST_TEST(message.find("\"twice\"") != std::string::npos);
    BOOST_TEST(message.find("long") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_name_for_two_functions_is_refused)
{
    BOOST_TEST(refusal([] { encode_function<int (*)(int), int>(&ambiguous_1, true); }).find("two functions") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_that_the_worker_does_not_know_is_refused)
{
    auto bytes = encode_function<int (*)(int), int>(&twice, true).bytes;
    bytes.data()[9] = std::byte('T'); // the first letter of the name
    const auto message = message_of(bytes, errc::unknown_function);
    BOOST_TEST(message.find("Twice") != std::string::npos);
    BOOST_TEST(message.find("TWAT_MP_REGISTER") != std::string::npos);

    bytes = encode_function<int (*)(int), int>(&twice, true).bytes;
    bytes.data()[9 + 5] ^= std::byte(1); // the hash of its types
    BOOST_TEST(message_of(bytes, errc::unknown_function).find("types") != std::string::npos);
    bytes = encode_function<int (*)(int), int>(&twice, true).bytes;
    bytes.data()[9 + 5 + 8] = std::byte(2); // more bound arguments than it has parameters
    BOOST_TEST(message_of(bytes, errc::unknown_function).find("bound") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_name_is_refused)
{
    const auto whole =
        encode_function<std::decay_t<decltype(partial(&join, "a"))>, std::string, int>(partial(&join, "a"), true).bytes;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        decoder in(whole.bytes().first(size));
        BOOST_CHECK_THROW(decode_function(in), error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
