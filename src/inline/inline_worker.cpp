// SPDX-License-Identifier: BSL-1.0
#include "inline/inline_worker.hpp"

#include <twat/mp/detail/completion/run_out.hpp>

namespace twat::mp::detail {

inline_scope::inline_scope(inline_worker& worker, const std::stop_source* stop,
                           std::chrono::steady_clock::time_point deadline)
    : turn_(worker.turn, std::defer_lock)
{
    if (worker.state)
        turn_.lock();
    context_.state = worker.state;
    context_.executor = loop_.get_executor();
    context_.stop = stop;
    context_.deadline = deadline;
    outer_ = enter_worker(&context_);
}

inline_scope::~inline_scope()
{
    run_out(loop_);
    enter_worker(outer_);
}

void inline_scope::run(std::uint64_t index, const operation_traits& traits, report_board& board,
                       report_hook& hook) noexcept
{
    context_.task = {.chunk = index + 1,
                     .first = index,
                     .seed = traits.options.seed,
                     .reports = traits.counts_progress,
                     .trace = &traits.options.trace_parent};
    context_.board = &board;
    context_.reported = &hook;
}

} // namespace twat::mp::detail
