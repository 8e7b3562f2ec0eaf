// SPDX-License-Identifier: BSL-1.0
// A worker that takes more memory than its control group has is killed by the kernel, and says so.
#include "modes.hpp"

#include <twat/mp.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <iostream>
#include <memory>
#include <numeric>
#include <vector>

#include "../expect.hpp"
#include "memory_group.hpp"

namespace mp = twat::mp;
using twat::mp::test::failed;

namespace {

constexpr std::size_t mib = std::size_t(1) << 20;

int square(int i) { return i * i; }

/// Takes memory until the kernel ends it.
int take_all_memory(int i)
{
    if (i % 4 != 1)
        return i;
    std::vector<std::unique_ptr<char[]>> taken;
    for (std::size_t n = 0; n != 1024; ++n) {
        taken.emplace_back(new char[16 * mib]);
        std::memset(taken.back().get(), 1, 16 * mib);
    }
    return 0;
}

} // namespace

void killed_by_the_kernel_for_memory()
{
    mp::test::memory_group limited(256 * mib);
    if (!limited.why_not().empty()) {
        std::cout << "SKIP: " << limited.why_not() << '\n';
        return;
    }
    mp::pool_options options;
    options.nodes = 2;
    mp::process_pool pool(options);
    pool.start();
    std::vector<int> inputs(16);
    std::iota(inputs.begin(), inputs.end(), 0);
    mp::call_options one_by_one;
    one_by_one.chunk_size = 1;
    const auto results = pool.with(one_by_one).try_map(take_all_memory, inputs);
    std::size_t likely = 0;
    std::size_t largest = 0;
    for (int i = 0; i != 16; ++i) {
        const auto& result = results[static_cast<std::size_t>(i)];
        if (i % 4 != 1) {
            EXPECT(result.has_value() && *result == i);
            continue;
        }
        EXPECT(result.has_error());
        try {
            result.value();
        }
        catch (const mp::worker_died& e) {
            EXPECT(e.signal() == SIGKILL);
            EXPECT(e.task_index() == static_cast<std::size_t>(i));
            likely += e.out_of_memory() == mp::memory_verdict::likely;
            largest = std::max(largest, e.resident_size());
        }
    }
    // The kernel may kill two of them for one shortage, and counts each kill once: every one has its verdict.
    EXPECT(likely == 4);
    // It may also kill a small one, which had only begun, for the shortage that its large neighbour made.
    EXPECT(largest > 64 * mib);
    EXPECT(pool.apply(square, 9) == 81);
    pool.join();
}
