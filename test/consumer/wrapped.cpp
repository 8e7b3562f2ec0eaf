// SPDX-License-Identifier: BSL-1.0
// The same with twat::mp_main: no word about workers.
#include <twat/mp.hpp>

#include <iostream>
#include <vector>

int main()
{
    twat::mp::process_pool pool(2);
    const auto squares = pool.map([](int x) { return x * x; }, std::vector<int>{1, 2, 3});
    if (squares != std::vector<int>{1, 4, 9})
        return 1;
    std::cout << "consumer: ok\n";
}
