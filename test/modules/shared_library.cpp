// SPDX-License-Identifier: BSL-1.0
// Compiled with hidden visibility.
#define FILE_NUMBER 4
#define ADD_CALLS add_calls_of_shared_library
#include "functions.ipp"

namespace twat::mp::test {

int (*function_of_shared_library(int which))(int) { return which == 0 ? &same_name : &in_anonymous_namespace; }

} // namespace twat::mp::test
