// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/default_pool.hpp>

#include <twat/mp/backends.hpp>
#include <twat/mp/workers.hpp>

#include <twat/mp/detail/operation/blocking_core.hpp>

namespace twat::mp {
namespace {

process_pool* make_default_pool()
{
    if (default_backend() != "inline")
        return new process_pool();
    pool_options options;
    options.nodes = 1;
    return new process_pool(detail::blocking_core::create_inline(process_workers::make(options), true));
}

} // namespace

process_pool& default_pool()
{
    // Not destroyed: that would wait for tasks when the program ends, perhaps for ever.
    static process_pool* const pool = make_default_pool();
    return *pool;
}

} // namespace twat::mp
