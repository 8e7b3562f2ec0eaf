// SPDX-License-Identifier: BSL-1.0
// The floors and the pools of this library, workload by workload; tools/bench runs it.
#include <twat/mp/worker.hpp>

#include "families.hpp"
#include "w6_start.hpp"

int main(int argc, char** argv)
{
    twat::mp::run_if_worker(argc, argv);
    if (bench::answer_if_started_by_floor(argc, argv))
        return 0;

    bench::registry rows;
    bench::add_w1(rows);
    bench::add_w2(rows);
    bench::add_w3(rows);
    bench::add_w4(rows);
    bench::add_w5(rows);
    bench::add_w6(rows);
    bench::add_w7(rows);
    bench::add_w8(rows);
    bench::add_w9(rows);
    bench::add_w11(rows);
    bench::add_w13(rows);
    bench::add_w15(rows);
    return rows.run(argc, argv);
}
