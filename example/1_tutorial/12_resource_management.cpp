// SPDX-License-Identifier: BSL-1.0
// A pool begins to start its workers when it is made, and closes and joins them at the end of its scope.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <vector>

namespace mp = twat::mp;

int func(int x) { return x + 100; }

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        const std::vector<int> data{1, 2, 3};
        std::vector<int> results;
        // Python: with ProcessPool() as pool:
        //             # Use the pool
        //             results = pool.map(func, data)
        {
            mp::process_pool pool;
            results = pool.map(func, data);
        }
        // Pool is now closed and resources are freed
        for (int x : results)
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
