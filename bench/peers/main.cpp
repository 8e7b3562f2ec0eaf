// SPDX-License-Identifier: BSL-1.0
// Other C++ libraries at the same work; tools/bench runs it beside bench/main.cpp.
#include "peers.hpp"

int main(int argc, char** argv)
{
    bench::registry rows;
    bench::add_asio_thread_pool(rows);
#ifdef BENCH_HAS_ONETBB
    bench::add_onetbb(rows);
#else
    rows.skip("oneTBB: CMake did not find it (Debian: libtbb-dev)");
#endif
    return rows.run(argc, argv);
}
