// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_PEERS_PEERS_HPP
#define TWAT_MP_BENCH_PEERS_PEERS_HPP

#include "registry.hpp"

namespace bench {

void add_asio_thread_pool(registry& rows);
void add_onetbb(registry& rows);

} // namespace bench

#endif
