// SPDX-License-Identifier: BSL-1.0
// imap: as pmap, but lazily. Results come in the order of the inputs, each as soon as it is there.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <ranges>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        // Python: @imap
        //         def cube(x):
        //             return x * x * x
        auto cube = mp::imap([](int x) { return x * x * x; });

        // Python: for result in cube(range(5)):
        //             print(result)  # Prints results as they become available
        for (int result : cube(std::views::iota(0, 5)))
            std::cout << result << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
