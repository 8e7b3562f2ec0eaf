// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_MODULES_FAR_CALL_HPP
#define TWAT_MP_TEST_MODULES_FAR_CALL_HPP

#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include <twat/mp/detail/function/encode_function.hpp>

namespace twat::mp::test {

/// A function and its arguments as they are sent, and the result that they have in this process.
struct far_call
{
    std::string name, function, arguments, expected;
};

inline std::string text_of(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class F, class... Args>
far_call make_call(std::string name, const F& f, const Args&... args)
{
    encoder arguments, expected;
    (arguments.write(args), ...);
    expected.write(std::invoke(f, args...));
    return {std::move(name), text_of(detail::encode_function<std::decay_t<F>, Args...>(f, false).bytes.bytes()),
            text_of(arguments.bytes()), text_of(expected.bytes())};
}

/// The same in every file and module that includes it; the linker keeps one, or one a module.
inline auto shared_lambda()
{
    return [](int x) { return x + 7; };
}

template <class T>
struct plus_size
{
    int operator()(int x) const { return x + static_cast<int>(sizeof(T)); }
};

// One for each file and library; all of them have functions of the same names.
void add_calls_of_file_1(std::vector<far_call>& to);
void add_calls_of_file_2(std::vector<far_call>& to);
void add_calls_of_static_library(std::vector<far_call>& to);
__attribute__((visibility("default"))) void add_calls_of_shared_library(std::vector<far_call>& to);
/// A pointer to a function that has internal linkage in the shared library.
__attribute__((visibility("default"))) int (*function_of_shared_library(int which))(int);

} // namespace twat::mp::test

#endif
