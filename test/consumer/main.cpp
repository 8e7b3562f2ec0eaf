// SPDX-License-Identifier: BSL-1.0
// What a program of someone else's does first. Built in every way in which the library can be had.
#include <twat/mp.hpp>

#include <iostream>
#include <vector>

int main(int argc, char** argv)
{
    twat::mp::run_if_worker(argc, argv);
    twat::mp::process_pool pool(2);
    const auto squares = pool.map([](int x) { return x * x; }, std::vector<int>{1, 2, 3});
    if (squares != std::vector<int>{1, 4, 9})
        return 1;
    std::cout << "consumer: ok\n";
}
