// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/codec.hpp>

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <any>
#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include "round_trip.hpp"

using namespace twat::mp;

BOOST_AUTO_TEST_SUITE(test_encodable)

struct holds_pointer
{
    int a;
    const char* name;
};
struct holds_pointer_deep
{
    std::vector<std::optional<holds_pointer>> many;
};
struct holds_reference
{
    int& x;
};
struct holds_rvalue_reference
{
    int&& x;
};
struct holds_view
{
    std::string_view s;
};
struct holds_array
{
    int before;
    char letters[8];
};
struct holds_array_of_one
{
    char letters[1];
};
struct base
{
    int x;
};
struct derived : base
{
    int y;
};
struct tag
{};
struct derived_from_empty : tag
{
    int y;
};
struct only_tags : tag
{};
struct polymorphic
{
    virtual ~polymorphic() = default;
    int x;
};
class opaque
{
public:
    explicit opaque(int x) : x_(x) {}

private:
    [[maybe_unused]] int x_;
};
union either
{
    int a;
    float b;
};
struct holds_function
{
    std::function<void()> f;
};
struct ring
{
    std::vector<ring> kids;
    int* bad;
};
struct volatile_member
{
    volatile int x;
};
#define TEN(m) int m##0, m##1, m##2, m##3, m##4, m##5, m##6, m##7, m##8, m##9;
struct too_many
{
    TEN(a) TEN(b) TEN(c) TEN(d) TEN(e) TEN(f) TEN(g) TEN(h) TEN(i) TEN(j) int more;
};
#undef TEN

static_assert(encodable<int> && encodable<const int> && encodable<std::string> && encodable<only_tags>);
static_assert(encodable<std::vector<std::map<std::string, std::optional<std::variant<int, std::filesystem::path>>>>>);

static_assert(!encodable<void>);
static_assert(!encodable<int&> && !encodable<const std::string&> && !encodable<int&&>);
static_assert(!encodable<int*> && !encodable<const char*> && !encodable<void*> && !encodable<std::nullptr_t>);
static_assert(!encodable<int (*)(int)> && !encodable<int(int)> && !encodable<int base::*>);
static_assert(!encodable<int[3]> && !encodable<volatile int>);
static_assert(!encodable<std::string_view> && !encodable<std::span<int>> && !encodable<std::initializer_list<int>>);
static_assert(!encodable<std::reference_wrapper<int>>);
static_assert(!encodable<std::vector<int>::iterator> && !encodable<std::list<int>::iterator>);
static_assert(!encodable<std::shared_ptr<int>> && !encodable<std::weak_ptr<int>>);
static_assert(!encodable<std::unique_ptr<int[]>> && !encodable<std::unique_ptr<polymorphic>>);
static_assert(!encodable<std::unique_ptr<int, void (*)(int*)>>);
static_assert(!encodable<std::function<void()>> && !encodable<std::any> && !encodable<std::exception_ptr>);
static_assert(!encodable<std::thread> && !encodable<std::mutex> && !encodable<std::atomic<int>>);
static_assert(!encodable<std::future<int>> && !encodable<std::promise<int>>);
static_assert(!encodable<holds_pointer> && !encodable<holds_pointer_deep> && !encodable<ring>);
static_assert(!encodable<holds_reference> && !encodable<holds_rvalue_reference> && !encodable<holds_view>);
static_assert(!encodable<holds_array> && !encodable<holds_array_of_one>);
static_assert(!encodable<derived> && !encodable<derived_from_empty> && !encodable<polymorphic>);
static_assert(!encodable<opaque> && !encodable<either> && !encodable<holds_function> && !encodable<too_many>);
static_assert(!encodable<volatile_member>);
static_assert(!encodable<std::vector<int*>> && !encodable<std::optional<std::string_view>>);
static_assert(!encodable<std::tuple<int&>> && !encodable<std::pair<int, const char*>>);
static_assert(!encodable<std::map<std::string_view, int>> && !encodable<std::variant<int, opaque>>);

[[maybe_unused]] auto lambda = [x = 1] { return x; };
static_assert(!encodable<decltype(lambda)>);

static_assert(std::is_same_v<detail::sent_type_t<const int&>, int>);
static_assert(std::is_same_v<detail::sent_type_t<const char (&)[4]>, std::string>);
static_assert(std::is_same_v<detail::sent_type_t<char (&)[4]>, std::string>);
static_assert(std::is_same_v<detail::sent_type_t<const char*>, std::string>);
static_assert(std::is_same_v<detail::sent_type_t<const char* const&>, std::string>);
static_assert(std::is_same_v<detail::sent_type_t<const wchar_t (&)[4]>, std::wstring>);
static_assert(std::is_same_v<detail::sent_type_t<const char8_t (&)[4]>, std::u8string>);
static_assert(std::is_same_v<detail::sent_type_t<char*>, char*>);
static_assert(std::is_same_v<detail::sent_type_t<int (&)[4]>, int*>);
static_assert(std::is_same_v<detail::sent_type_t<int(int)>, int (*)(int)>);

BOOST_AUTO_TEST_CASE(literals_are_sent_as_strings)
{
    BOOST_TEST(detail::as_sent("abc") == "abc");
    const char full[3]{'a', 'b', 'c'};
    BOOST_TEST(detail::as_sent(full) == "abc");
    const char* pointer = "abc";
    BOOST_TEST(detail::as_sent(pointer) == "abc");
    pointer = nullptr;
    BOOST_CHECK_THROW(detail::as_sent(pointer), error);
    int i = 1;
    BOOST_TEST(&detail::as_sent(i) == &i);
}

BOOST_AUTO_TEST_SUITE_END()
