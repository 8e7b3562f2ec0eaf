// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_HOSTILE_PROGRAM_HPP
#define TWAT_MP_TEST_FAULTS_HOSTILE_PROGRAM_HPP

#include <boost/test/unit_test.hpp>

#include <string>

namespace twat::mp::test {

/// The program of child/hostile.cpp. CMake tells by a definition where it is, Jam behind `--` on the command line.
inline std::string hostile_program()
{
#if defined(TWAT_MP_TEST_HOSTILE_PROGRAM)
    return TWAT_MP_TEST_HOSTILE_PROGRAM;
#else
    const auto& suite = boost::unit_test::framework::master_test_suite();
    return suite.argv[suite.argc - 1];
#endif
}

} // namespace twat::mp::test

#endif
