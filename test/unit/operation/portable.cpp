// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/portable.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace twat::mp;

namespace {

int twice(int x) { return 2 * x; }
int thrice(int x) noexcept { return 3 * x; }
struct holder
{
    int member() const { return value; }
    int value = 1;
};
struct less
{
    bool operator()(int a, int b) const { return a < b; }
};
struct overloaded final
{
    int operator()(int) const { return 1; }
    int operator()(const std::string&) const { return 2; }
};
struct needs_a_value
{
    explicit needs_a_value(int) {}
    void operator()() const {}
};
struct scale // an aggregate of encodable members
{
    int factor;
    int operator()(int x) const { return factor * x; }
};
struct pointing
{
    int* to;
    int operator()() const { return *to; }
};
struct with_codec
{
    explicit with_codec(int* p) : p_(p) {}
    int operator()() const { return *p_; }
    int* p_;
};

} // namespace

template <>
struct twat::mp::codec<with_codec>
{
    static void encode(encoder& out, const with_codec& value) { out.write(*value.p_); }
    static with_codec decode(decoder& in) { return with_codec(new int(in.read<int>())); }
};

BOOST_AUTO_TEST_SUITE(test_portable)

static_assert(portable_callable<int (*)(int)>);
static_assert(portable_callable<int (*)(int) noexcept>);
static_assert(portable_callable<int(int)>);
static_assert(portable_callable<int (&)(int)>);
static_assert(portable_callable<less>);
static_assert(portable_callable<const less&>);
static_assert(portable_callable<overloaded>);
static_assert(portable_callable<std::plus<>>);
static_assert(portable_callable<with_codec>);
static_assert(portable_callable<scale>);
static_assert(!portable_callable<pointing>);
static_assert(!portable_callable<needs_a_value>);
static_assert(!portable_callable<int (holder::*)() const>);
static_assert(!portable_callable<int holder::*>);
static_assert(!portable_callable<std::function<int(int)>>);
static_assert(!portable_callable<std::reference_wrapper<less>>);
static_assert(!portable_callable<decltype(std::bind(twice, 1))>);
static_assert(!portable_callable<decltype(std::bind_front(twice, 1))>);
static_assert(!portable_callable<int>);
static_assert(!portable_callable<int*>);
static_assert(!portable_callable<std::monostate>);
static_assert(!portable_callable<std::string>);
static_assert(!portable_callable<std::vector<int>>);

BOOST_AUTO_TEST_CASE(lambdas_are_portable_if_they_capture_nothing)
{
    int x = 1;
    const auto plain = [](int i) { return i; };
    const auto generic = [](auto... values) { return (values + ...); };
    const auto by_value = [x](int i) { return i + x; };
    const auto by_reference = [&x](int i) { return i + x; };
    static_assert(portable_callable<decltype(plain)>);
    static_assert(portable_callable<decltype(generic)>);
    static_assert(!portable_callable<decltype(by_value)>);
    static_assert(!portable_callable<decltype(by_reference)>);
    BOOST_TEST(plain(1) + generic(1, 2) + by_value(1) + by_reference(1) == 8);
}

BOOST_AUTO_TEST_CASE(partial_is_portable_if_all_of_it_is)
{
    int x = 1;
    static_assert(portable_callable<decltype(partial(twice, 1))>);
    static_assert(portable_callable<decltype(partial(less(), 1, 2))>);
    static_assert(portable_callable<decltype(partial(partial(less(), 1), 2))>);
    static_assert(portable_callable<decltype(partial(less()))>);
    static_assert(portable_callable<decltype(partial(twice, "literal"))>);
    static_assert(!portable_callable<decltype(partial(twice, &x))>);
    static_assert(!portable_callable<decltype(partial(twice, std::string_view()))>);
    static_assert(!portable_callable<decltype(partial([x] { return x; }, 1))>);
    static_assert(!portable_callable<decltype(partial(partial(twice, &x), 1))>);
    static_assert(!portable_callable<decltype(partial(&holder::member, 1))>);
    BOOST_TEST(x == 1);
}

BOOST_AUTO_TEST_CASE(partial_calls_with_the_bound_values_first)
{
    const auto join = [](const std::string& a, const std::string& b, std::string c) { return a + b + c; };
    BOOST_TEST(partial(join, "a", "b")("c") == "abc");
    BOOST_TEST(partial(partial(join, "a"), "b")("c") == "abc");
    BOOST_TEST(partial(twice)(4) == 8);
    BOOST_TEST(partial(&thrice, 4)() == 12);
    BOOST_TEST(partial(&holder::member, holder{5})() == 5);
}

BOOST_AUTO_TEST_CASE(partial_passes_bound_values_as_const_and_the_others_as_they_are)
{
    const auto f =
        partial([](const std::unique_ptr<int>& bound, std::unique_ptr<int> given, int& out) { out = *bound + *given; },
                std::make_unique<int>(1));
    int out = 0;
    f(std::make_unique<int>(2), out);
    BOOST_TEST(out == 3);
    f(std::make_unique<int>(3), out);
    BOOST_TEST(out == 4);
    static_assert(!std::is_invocable_v<decltype(partial([](int&) {}, 1))>);
    static_assert(!std::is_invocable_v<decltype(partial(twice, 1)), int>);
    static_assert(std::is_same_v<decltype(partial([](const int& x) -> const int& { return x; }, 1)()), const int&>);
}

BOOST_AUTO_TEST_CASE(partial_of_any_callable_works_here)
{
    int calls = 0;
    const std::function<int(int, int)> f = [&calls](int a, int b) {
        ++calls;
        return a - b;
    };
    BOOST_TEST(partial(f, 5)(3) == 2);
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_SUITE_END()
