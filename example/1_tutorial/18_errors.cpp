// SPDX-License-Identifier: BSL-1.0
// What can go wrong and how it looks: exceptions of the task, and a worker that dies. try_map gives each task its own
// result.
#include <twat/mp.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace mp = twat::mp;

int fragile(int x)
{
    if (x == 1)
        throw std::invalid_argument("one is not allowed");
    if (x == 2)
        std::_Exit(7); // the whole worker process is gone; the pool replaces it
    if (x == 3)
        throw 42; // not an exception class
    return x * 10;
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        mp::process_pool pool(2);
        for (const auto& result : pool.try_map(fragile, std::vector<int>{0, 1, 2, 3, 4})) {
            if (result.has_value()) {
                std::cout << "value " << *result << '\n';
                continue;
            }
            try {
                std::rethrow_exception(result.error());
            } catch (const mp::worker_died& e) {
                std::cout << "task " << e.task_index() << ": its worker ended with code " << e.exit_code() << '\n';
            } catch (const mp::remote_error& e) {
                std::cout << "an exception of type " << e.type_name() << '\n';
            } catch (const std::invalid_argument& e) {
                std::cout << "invalid argument: " << e.what() << '\n';
            }
        }
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
