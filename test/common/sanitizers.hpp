// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_SANITIZERS_HPP
#define TWAT_MP_TEST_COMMON_SANITIZERS_HPP

// Which sanitizers the tests run under: 0 or 1.
#if defined(__has_feature)
#define TWAT_MP_TEST_ASAN __has_feature(address_sanitizer)
#define TWAT_MP_TEST_TSAN __has_feature(thread_sanitizer)
#else
#if defined(__SANITIZE_ADDRESS__)
#define TWAT_MP_TEST_ASAN 1
#else
#define TWAT_MP_TEST_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__)
#define TWAT_MP_TEST_TSAN 1
#else
#define TWAT_MP_TEST_TSAN 0
#endif
#endif

#endif
