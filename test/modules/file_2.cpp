// SPDX-License-Identifier: BSL-1.0
#define FILE_NUMBER 2
#define ADD_CALLS add_calls_of_file_2
#include "functions.ipp"
