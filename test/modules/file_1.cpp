// SPDX-License-Identifier: BSL-1.0
#define FILE_NUMBER 1
#define ADD_CALLS add_calls_of_file_1
#include "functions.ipp"
