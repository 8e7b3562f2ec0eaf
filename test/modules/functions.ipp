// SPDX-License-Identifier: BSL-1.0
// Included by several files, which define FILE_NUMBER and ADD_CALLS: everything here has the same name in all of them, and
// does something else in each.
#include "far_call.hpp"

#include <string>
#include <vector>

namespace twat::mp::test {
namespace {

int in_anonymous_namespace(int x) { return x * 10 + FILE_NUMBER; }

struct functor
{
    int operator()(int x) const { return x * 20 + FILE_NUMBER; }
};

template <int N>
int instantiated(int x)
{
    return x * N + FILE_NUMBER;
}

struct tag
{
    char bytes[FILE_NUMBER];
};

struct scaled
{
    int factor;
    int operator()(int x) const { return x * factor + FILE_NUMBER; }
};

constexpr auto at_namespace_scope = [](int x) { return x * 30 + FILE_NUMBER; };

} // namespace

static int same_name(int x) { return x * 40 + FILE_NUMBER; }

static auto make_lambda()
{
    return [](int x) { return x * 50 + FILE_NUMBER; };
}

void ADD_CALLS(std::vector<far_call>& to)
{
    const std::string file = "in file " + std::to_string(FILE_NUMBER) + ": ";
    to.push_back(make_call(file + "function of an anonymous namespace", &in_anonymous_namespace, 3));
    to.push_back(make_call(file + "static function", &same_name, 3));
    to.push_back(make_call(file + "function object", functor(), 3));
    to.push_back(make_call(file + "instantiation 2", &instantiated<2>, 3));
    to.push_back(make_call(file + "instantiation 3", &instantiated<3>, 3));
    to.push_back(make_call(file + "lambda at namespace scope", at_namespace_scope, 3));
    to.push_back(make_call(file + "lambda of a static function", make_lambda(), 3));
    to.push_back(make_call(file + "lambda of an inline function", shared_lambda(), 3));
    to.push_back(make_call(file + "template over an internal type", plus_size<tag>(), 3));
    to.push_back(make_call(file + "template over a common type", plus_size<long>(), 3));
    to.push_back(make_call(
        file + "first local lambda", [](int x) { return x * 60 + FILE_NUMBER; }, 3));
    to.push_back(make_call(
        file + "second local lambda", [](int x) { return x * 70 + FILE_NUMBER; }, 3));
    to.push_back(make_call(
        file + "generic lambda of int", [](auto x) { return x + FILE_NUMBER; }, 3));
    to.push_back(make_call(
        file + "generic lambda of double", [](auto x) { return x + FILE_NUMBER; }, 3.5));
    to.push_back(make_call(
        file + "generic lambda of string", [](auto x) { return x + char('a' + FILE_NUMBER); }, std::string("x")));
    to.push_back(make_call(file + "aggregate function object", scaled{4}, 3));
    to.push_back(make_call(file + "partial of a pointer", partial(&same_name, 5)));
    to.push_back(make_call(
        file + "partial of a lambda",
        partial([](const std::vector<int>& v, int i) { return v.at(i) + FILE_NUMBER; }, std::vector<int>{1, 2, 3}), 2));
    struct local
    {
        long operator()(long x) const { return x * 80 + FILE_NUMBER; }
    };
    to.push_back(make_call(file + "local class", local(), 3L));

    // Which function it is, only the running program knows.
    static int (*volatile table[])(int) = {&same_name, &in_anonymous_namespace, &instantiated<4>, at_namespace_scope};
    int number = 0;
    for (int (*const function)(int) : table)
        to.push_back(make_call(file + "pointer " + std::to_string(number++), function, 3));
}

} // namespace twat::mp::test
