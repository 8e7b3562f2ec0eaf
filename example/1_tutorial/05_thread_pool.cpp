// SPDX-License-Identifier: BSL-1.0
// thread_pool: for work that waits, or that shares memory. Its tasks may capture whatever they like.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <ranges>

namespace mp = twat::mp;

int main()
{
    try {
        // Python: with ThreadPool() as pool:
        //             results = pool.map(lambda x: x * 2, range(10))
        mp::thread_pool pool;
        const int factor = 2;
        auto results = pool.map([&factor](int x) { return x * factor; }, std::views::iota(0, 10));
        for (int x : results)
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
