// SPDX-License-Identifier: BSL-1.0
// The program is parent, agent and worker: the hosts of these tests are its own copies.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_MODULE twat_mp_cluster
#include <boost/test/unit_test.hpp>

#include <twat/mp/cluster.hpp>
#include <twat/mp/worker.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "broker.hpp"

int main(int argc, char** argv)
{
    twat::mp::run_if_worker(argc, argv);
    if (const auto status = twat::mp::run_if_agent(argc, argv))
        return *status;
    const bool lists =
        std::any_of(argv, argv + argc, [](const char* argument) { return std::strncmp(argument, "--list", 6) == 0; });
    if (!lists && !twat::mp::test::broker::is_installed()) {
        std::puts("SKIP: there is no nats-server on this machine (Debian: apt install nats-server)");
        return 0;
    }
    return boost::unit_test::unit_test_main(&init_unit_test, argc, argv);
}
