// SPDX-License-Identifier: BSL-1.0
// A library that is built twice, with different answers: what a program finds when its library is replaced while it runs.
#include "answers.hpp"

int answer(int question) { return question + TWAT_MP_TEST_ANSWERS; }
