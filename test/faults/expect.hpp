// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_EXPECT_HPP
#define TWAT_MP_TEST_FAULTS_EXPECT_HPP

#include <iostream>

namespace twat::mp::test {

/// Whether an `EXPECT` of this program did not hold: then its exit status is 1.
inline bool failed = false;

} // namespace twat::mp::test

/// For programs that are a test each and have no framework: goes on behind what is not so.
#define EXPECT(...)                                                                                                    \
    do {                                                                                                               \
        if (!(__VA_ARGS__)) {                                                                                          \
            twat::mp::test::failed = true;                                                                             \
            std::cerr << "line " << __LINE__ << ": " << #__VA_ARGS__ << " is not so\n";                                \
        }                                                                                                              \
    } while (false)

#endif
