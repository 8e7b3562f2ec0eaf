// SPDX-License-Identifier: BSL-1.0
// Says "consumer: ok" if it is linked with the library for pools over several hosts and not started as an agent.
#include <twat/mp.hpp>
#include <twat/mp/cluster.hpp>

#include <iostream>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    if (const auto status = mp::run_if_agent(argc, argv))
        return *status;
    std::cout << "consumer: ok\n";
}
