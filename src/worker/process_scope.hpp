// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_PROCESS_SCOPE_HPP
#define TWAT_MP_SRC_WORKER_PROCESS_SCOPE_HPP

#include "start/worker_context.hpp"

namespace twat::mp::detail {

/// Makes a context the thread's and the process's, also when what happens within throws.
class process_scope
{
public:
    explicit process_scope(worker_context& context) : before_(enter_worker(&context)) { set_process_worker(&context); }
    process_scope(const process_scope&) = delete;
    process_scope& operator=(const process_scope&) = delete;
    ~process_scope()
    {
        set_process_worker(nullptr);
        enter_worker(before_);
    }

private:
    worker_context* const before_;
};

} // namespace twat::mp::detail

#endif
