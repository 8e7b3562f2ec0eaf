// SPDX-License-Identifier: BSL-1.0
// process_pool: for work that keeps a CPU busy, or that must not take the program down with it.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <ranges>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        // Python: with ProcessPool() as pool:
        //             results = pool.map(lambda x: x * 2, range(10))
        mp::process_pool pool;
        auto results = pool.map([](int x) { return x * 2; }, std::views::iota(0, 10));
        for (int x : results)
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
