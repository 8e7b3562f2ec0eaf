// SPDX-License-Identifier: BSL-1.0
// What a user of Python's pools writes, in C++.
// tag::whole[]
#include <twat/mp.hpp>

#include <future>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace mp = twat::mp;

int square(int x) { return x * x; }
int add(int x, int y) { return x + y; }

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv); // stands for: if __name__ == "__main__"

    // tag::with[]
    mp::process_pool pool(4);                                              // with Pool(4) as pool:
    const std::vector<int> xs{1, 2, 3};
    std::vector<int> squares = pool.map(square, xs);                       //     pool.map(square, xs)
    std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
    std::vector<int> sums = pool.starmap(add, pairs);                      //     pool.starmap(add, pairs)
    std::future<int> later = pool.submit(square, 12);                      //     pool.apply_async(square, (12,))
    for (int y : pool.uimap(square, xs))                                   //     for y in pool.imap_unordered(square, xs):
        std::cout << "got " << (y > 0 ? "one" : "none") << '\n';
    std::cout << squares[2] << ' ' << sums[1] << ' ' << later.get() << '\n';
    // end::with[]

    // tag::pmap[]
    auto psquare = mp::pmap(square); // @pmap
    for (int y : psquare(xs))
        std::cout << y << '\n';
    // end::pmap[]
}
// end::whole[]
