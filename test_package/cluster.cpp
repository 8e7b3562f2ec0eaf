// SPDX-License-Identifier: BSL-1.0
// Says "twat-mp cluster: ok" if it is linked with the library for pools over several hosts and not started as an agent.
#include <twat/mp.hpp>
#include <twat/mp/cluster.hpp>

#include <iostream>

int main(int argc, char** argv)
{
    twat::mp::run_if_worker(argc, argv);
    if (const auto status = twat::mp::run_if_agent(argc, argv))
        return *status;
    std::cout << "twat-mp cluster: ok\n";
}
