// SPDX-License-Identifier: BSL-1.0
// Until the workers that are processes are there.
#include <stdexcept>

#include "pool/worker_set.hpp"

namespace twat::mp::detail {

__attribute__((weak)) std::unique_ptr<worker_set> make_process_workers(pool_strand, std::shared_ptr<strand_link>, const pool_options&,
                                                                       std::size_t, backend_events&)
{
    throw std::logic_error("process workers are not built yet");
}

} // namespace twat::mp::detail
