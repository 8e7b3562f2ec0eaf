// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/default_pool.hpp>

namespace twat::mp {

process_pool& default_pool()
{
    // Not destroyed: that would wait for tasks when the program ends, perhaps for ever.
    static process_pool* const pool = new process_pool();
    return *pool;
}

} // namespace twat::mp
