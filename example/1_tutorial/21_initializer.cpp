// SPDX-License-Identifier: BSL-1.0
// The initializer runs in each worker before its first task. A worker sees nothing of what main did to globals before.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace mp = twat::mp;

std::string greeting; // each process has its own

void prepare(const std::string& text) { greeting = text; }
std::string greet(const std::string& name) { return greeting + ", " + name; }

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        greeting = "not seen by any worker";
        // tag::initializer[]
        mp::pool_options options;
        options.initializer = mp::task(prepare, std::string("Hello"));
        mp::process_pool pool(options);
        // end::initializer[]
        for (const std::string& line : pool.map(greet, std::vector<std::string>{"Ada", "Grace"}))
            std::cout << line << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
