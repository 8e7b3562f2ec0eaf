// SPDX-License-Identifier: BSL-1.0
// A task that takes too long fails, even if it never asks whether it should stop: its worker process is killed and
// replaced.
#include <twat/mp.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <thread>
#include <vector>

namespace mp = twat::mp;
using namespace std::chrono_literals;

int patient(int seconds)
{
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    return seconds;
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        mp::process_pool pool(2);
        // tag::timeout[]
        const auto results = pool.with({.timeout = 1s}).try_map(patient, std::vector<int>{0, 3600});
        // end::timeout[]
        for (const mp::result<int>& result : results) {
            if (result.has_value()) {
                std::cout << "took " << *result << " seconds\n";
                continue;
            }
            try {
                std::rethrow_exception(result.error());
            } catch (const mp::error& e) {
                std::cout << (e.code() == mp::errc::task_timed_out ? "timed out\n" : e.what());
            }
        }
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
