// SPDX-License-Identifier: BSL-1.0
#include "pool/check_options.hpp"

#include <stdexcept>
#include <string>

#include <twat/mp/detail/operation/check_options.hpp>

#include "pool/check_state.hpp"

namespace twat::mp::detail {
namespace {

void check_duration(const char* member, duration value)
{
    if (value < duration::zero())
        refuse_option(member, "is negative");
}

void check_probability(const char* member, double value)
{
    if (!(value >= 0 && value <= 1))
        refuse_option(member, "must be between 0 and 1");
}

void check_chaos(const chaos_options& chaos)
{
    check_probability("pool_options::chaos.kill", chaos.kill);
    check_probability("pool_options::chaos.slow_start.probability", chaos.slow_start.probability);
    check_duration("pool_options::chaos.slow_start.time", chaos.slow_start.time);
    check_probability("pool_options::chaos.delay.probability", chaos.delay.probability);
    check_duration("pool_options::chaos.delay.time", chaos.delay.time);
    check_probability("pool_options::chaos.refuse", chaos.refuse);
}

} // namespace

void refuse_option(const char* member, const std::string& why)
{
    throw std::invalid_argument(std::string("twat::mp::") + member + " " + why);
}

std::size_t count_nodes(const backend_factory& factory)
{
    const std::size_t nodes = factory.count_nodes(factory.options().nodes, "pool_options::nodes");
    const std::size_t kept = factory.options().min_nodes;
    if (kept != all_nodes && kept > nodes)
        refuse_option("pool_options::min_nodes", "is " + std::to_string(kept) + ", but the pool has " +
                                                     std::to_string(nodes) + " nodes; mp::all_nodes keeps them all");
    return nodes;
}

void check_options(const pool_options& options)
{
    check_duration("pool_options::idle_timeout", options.idle_timeout);
    if (options.child_concurrency == 0)
        refuse_option("pool_options::child_concurrency", "is 0: a worker could never run a coroutine task");
    if (options.child_concurrency > 65536)
        refuse_option("pool_options::child_concurrency", "is more than 65536");
    if (options.max_message_size == 0)
        refuse_option("pool_options::max_message_size", "is 0: no task could be sent");
    check_duration("pool_options::restarts.window", options.restarts.window);
    check_duration("pool_options::start_timeout", options.start_timeout);
    check_duration("pool_options::stop_grace", options.stop_grace);
    check_duration("pool_options::cancel_grace", options.cancel_grace);
    check_duration("pool_options::max_age_per_child", options.max_age_per_child);
    check_duration("pool_options::spin", options.spin);
    if (!options.parcels.directory.empty() && options.parcels.most == 0)
        refuse_option("pool_options::parcels.most", "must be at least 1");
    if (!(options.recycle_jitter >= 0 && options.recycle_jitter <= 1))
        refuse_option("pool_options::recycle_jitter", "must be between 0 and 1");
    if (options.nice < -1 || options.nice > 19)
        refuse_option("pool_options::nice",
                      "is " + std::to_string(options.nice) + ", but must be from 0 to 19, or -1 for the default");
    if (options.on_overflow != overflow::fail && options.on_overflow != overflow::wait)
        refuse_option("pool_options::on_overflow", "is not a valid mp::overflow");
    check_duration("pool_options::shed.target", options.shed.target);
    check_duration("pool_options::shed.interval", options.shed.interval);
    if (options.shed.target != duration::zero() && options.shed.interval == duration::zero())
        refuse_option("pool_options::shed.interval",
                      "is zero: say for how long waits may be longer than the target, 100 ms for example");
    if (options.child_stderr < error_output::inherit || options.child_stderr > error_output::capture)
        refuse_option("pool_options::child_stderr", "is not a valid mp::error_output");
    check_chaos(options.chaos);
    check_state(options);
}

void check_options(const tenant_options& options)
{
    if (options.weight == 0)
        refuse_option("tenant_options::weight", "is 0: operations of the tenant would never run");
    if (options.weight > 1'000'000)
        refuse_option("tenant_options::weight", "is more than 1000000");
}

void check_options(const call_options& options)
{
    check_duration("call_options::timeout", options.timeout);
    check_duration("call_options::deadline", options.deadline);
    check_duration("call_options::queue_timeout", options.queue_timeout);
    if (options.retry.attempts == 0)
        refuse_option("call_options::retry.attempts", "is 0: no task would ever run; 1 is a single attempt");
    check_duration("call_options::retry.backoff", options.retry.backoff);
    if (!(options.retry.jitter >= 0 && options.retry.jitter <= 1))
        refuse_option("call_options::retry.jitter", "must be between 0 and 1");
    check_duration("call_options::hedge_after", options.hedge_after.after());
    if (const double percent = options.hedge_after.percent();
        options.hedge_after.measured() && !(percent > 0 && percent < 100))
        refuse_option("call_options::hedge_after", "is a percentile that is not between 0 and 100");
    if (options.prio != priority::low && options.prio != priority::normal && options.prio != priority::high)
        refuse_option("call_options::prio", "is not a valid mp::priority");
    if (options.trace_parent.malformed())
        refuse_option("call_options::trace_parent", "is no traceparent of the W3C: 00-, 32 hexadecimal digits, -, 16 "
                                                    "of them, -, 2 of them, in lower case, and neither id all zeros");
    constexpr auto all = static_cast<unsigned>(asio::cancellation_type::all);
    if (const auto limit = static_cast<unsigned>(options.cancel_limit); limit != all && (limit & ~7u) != 0)
        refuse_option("call_options::cancel_limit", "is not a valid asio::cancellation_type");
}

} // namespace twat::mp::detail
