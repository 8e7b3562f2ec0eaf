// SPDX-License-Identifier: BSL-1.0
// A program whose shared library is replaced while it runs. Workers that are started afterwards load the other build: none of them may
// run a function of it, and the caller is told why.
//
//   test_library_host LIBRARY OTHER      the library that this program has loaded, and the file that takes its place
#include <twat/mp.hpp>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <vector>

#include <unistd.h>

#include "../expect.hpp"
#include "answers.hpp"

namespace mp = twat::mp;
using twat::mp::test::failed;

namespace {

int square(int i) { return i * i; }

int die(int i)
{
    ::kill(::getpid(), SIGKILL);
    return i;
}

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    if (argc != 3)
        return 2;
    const std::vector<int> questions{1, 2, 3, 4, 5, 6, 7, 8};
    mp::pool_options options;
    options.nodes = 1;
    mp::process_pool pool(options);
    EXPECT(pool.apply(answer, 1) == 101);

    std::filesystem::rename(argv[2], argv[1]);
    EXPECT(pool.apply(answer, 1) == 101); // the worker that runs has the old one

    EXPECT(pool.try_map(die, std::vector<int>{1}).front().has_error());
    EXPECT(pool.apply(square, 9) == 81); // what the library has no part in goes on
    for (const auto& result : pool.try_map(answer, questions)) {
        EXPECT(result.has_error());
        try {
            const int value = result.value();
            std::cerr << "an answer of the other build: " << value << '\n';
        }
        catch (const mp::error& e) {
            EXPECT(e.code() == mp::errc::build_mismatch);
            EXPECT(std::string(e.what()).find("answers") != std::string::npos);
        }
    }
    pool.join();
    return failed ? 1 : 0;
}
