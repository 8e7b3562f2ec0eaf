// SPDX-License-Identifier: BSL-1.0
// Pools over several hosts; a program of its own, since the others need no nats.c.
#include <twat/mp/cluster.hpp>
#include <twat/mp/worker.hpp>

#include "cluster/site.hpp"
#include "cluster/w12_cluster.hpp"

int main(int argc, char** argv)
{
    twat::mp::run_if_worker(argc, argv);
    if (const auto status = twat::mp::run_if_agent(argc, argv))
        return *status;

    bench::registry rows;
    if (bench::has_broker())
        bench::add_w12(rows);
    else
        rows.skip("nats-server: not installed (Debian: nats-server); w12 is left out");
    return rows.run(argc, argv);
}
