// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DEFAULT_POOL_HPP
#define TWAT_MP_DEFAULT_POOL_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/multi_pool.hpp>

namespace twat::mp {

/** The process-wide pool that `pmap`, `imap` and `amap` use if they are given none: a `process_pool` with default options.

    Made at first use and never destroyed: its workers end with the process. `default_pool().join()` ends them in order before that;
    nothing can be run with it afterwards. It may be called from any thread.

    If the environment variable `TWAT_MP_BACKEND` is `inline` at that moment, it runs tasks in the calling thread, as an `inline_process_pool`.
*/
TWAT_MP_DECL process_pool& default_pool();

} // namespace twat::mp

#endif
