// SPDX-License-Identifier: BSL-1.0
// An exception that a task throws reaches the caller with its type, and with where it happened.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp = twat::mp;

int potentially_failing_function(int x)
{
    if (x == 3)
        throw std::out_of_range("three is too much");
    return x;
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    const std::vector<int> data{1, 2, 3, 4};

    // Python: try:
    //             with ProcessPool() as pool:
    //                 results = list(pool.map(potentially_failing_function, data))
    //         except Exception as e:
    //             print(f"An error occurred: {e}")
    // tag::catch[]
    try {
        mp::process_pool pool;
        auto results = pool.map(potentially_failing_function, data);
        std::cout << "not reached: " << results.size() << " results\n";
    } catch (const std::out_of_range& e) {
        std::cout << "An error occurred: " << e.what() << '\n';
        std::cout << "at position " << mp::task_index(std::current_exception()).value() << '\n';
    }
    // end::catch[]
}
