// SPDX-License-Identifier: BSL-1.0
// multi_pool is the template behind process_pool and thread_pool: its parameter says what the workers are, processes by
// default.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <ranges>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        // Python: with MultiPool(pool_class=PathosProcessPool) as pool:
        //             results = pool.map(lambda x: x * 2, range(5))
        mp::multi_pool<mp::process_workers> pool;
        auto results = pool.map([](int x) { return x * 2; }, std::views::iota(0, 5));
        for (int x : results)
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
