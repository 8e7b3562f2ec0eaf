// SPDX-License-Identifier: BSL-1.0
// The same in blocking form: without coroutines, map returns when all results are there.
// tag::readme[]
#include <twat/mp.hpp>

#include <iostream>
#include <vector>

namespace mp = twat::mp;

long fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    mp::process_pool pool;
    for (long x : pool.map(fibonacci, std::vector<int>{20, 21, 22, 23}))
        std::cout << x << '\n';
}
// end::readme[]
