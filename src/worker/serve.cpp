// SPDX-License-Identifier: BSL-1.0
#include "worker/serve.hpp"

namespace twat::mp::detail {

int serve_worker(const worker_start&) { return 0; }

} // namespace twat::mp::detail
