// SPDX-License-Identifier: BSL-1.0
// A pool whose backend is named on the command line.
#include <twat/mp.hpp>

#include <iostream>
#include <vector>

namespace mp = twat::mp;

// tag::any_pool[]
int square(int x) { return x * x; }

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        mp::pool_options options;
        options.nodes = 2;
        const std::vector<int> inputs{1, 2, 3};
        mp::any_pool pool(argc > 1 ? argv[1] : "threads", options);
        std::vector<int> squares = pool.map(square, inputs);
        for (int x : squares)
            std::cout << x << '\n';
    } catch (const std::exception& e) { // "there is no backend "fibres"; there are inline, processes, threads"
        std::cerr << e.what() << '\n';
        return 1;
    }
}
// end::any_pool[]
