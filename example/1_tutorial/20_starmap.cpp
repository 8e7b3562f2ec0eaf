// SPDX-License-Identifier: BSL-1.0
// Functions of several arguments: map takes one range for each, starmap a range of tuples.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

namespace mp = twat::mp;

std::string repeat(const std::string& text, int times)
{
    std::string result;
    while (times-- > 0)
        result += text;
    return result;
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        mp::process_pool pool;
        const std::vector<std::string> texts{"a", "b", "c"};
        const std::vector<int> times{3, 2, 1};
        for (const std::string& text : pool.map(repeat, texts, times))
            std::cout << text << ' ';

        const std::vector<std::tuple<std::string, int>> rows{{"x", 1}, {"y", 2}};
        for (const std::string& text : pool.starmap(repeat, rows))
            std::cout << text << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
