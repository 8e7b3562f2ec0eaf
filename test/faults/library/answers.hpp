// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_LIBRARY_ANSWERS_HPP
#define TWAT_MP_TEST_FAULTS_LIBRARY_ANSWERS_HPP

int answer(int question);

#endif
