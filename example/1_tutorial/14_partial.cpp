// SPDX-License-Identifier: BSL-1.0
// partial binds the first arguments. For each operation they are sent once to a worker, not once for each task.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace mp = twat::mp;

using dictionary = std::map<std::string, std::string>;

std::string translate(const dictionary& words, const std::string& word)
{
    const auto found = words.find(word);
    return found == words.end() ? "?" : found->second;
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        const dictionary words{{"one", "eins"}, {"two", "zwei"}, {"three", "drei"}};
        mp::process_pool pool;
        // A lambda with captures cannot be sent to another process; a function and its arguments can.
        auto results = pool.map(mp::partial(translate, words), std::vector<std::string>{"three", "two", "four"});
        for (const std::string& word : results)
            std::cout << word << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
