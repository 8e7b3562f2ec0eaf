// SPDX-License-Identifier: BSL-1.0
// on_progress is told how far an operation is. mp::progress_bar, which draws a bar, is such a callback.
#include <twat/mp.hpp>

#include <exception>
#include <functional>
#include <iostream>
#include <ranges>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        mp::process_pool pool(2);
        mp::progress last;
        auto remember = [&last](const mp::progress& now) { last = now; };
        auto results = pool.on_progress(std::ref(remember)).map([](int x) { return -x; }, std::views::iota(0, 100));
        std::cout << results.size() << " results, " << last.done << " of " << last.total.value() << " done, " << last.failed
                  << " failed\n";
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
