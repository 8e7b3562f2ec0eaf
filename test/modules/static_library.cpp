// SPDX-License-Identifier: BSL-1.0
#define FILE_NUMBER 3
#define ADD_CALLS add_calls_of_static_library
#include "functions.ipp"
