// SPDX-License-Identifier: BSL-1.0
#include "pool/check_options.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

#include <twat/mp/detail/operation/check_options.hpp>

#include "os/available_cpus.hpp"

namespace twat::mp::detail {
namespace {

[[noreturn]] void refuse(const char* member, const std::string& why)
{
    throw std::invalid_argument(std::string("twat::mp::") + member + " " + why);
}

void check_duration(const char* member, duration value)
{
    if (value < duration::zero())
        refuse(member, "is negative");
}

std::size_t read_number(const char* path, std::size_t otherwise)
{
    std::ifstream file(path);
    std::size_t value;
    return file >> value ? value : otherwise;
}

// How many workers the system could run, if nothing else ran.
std::size_t most_nodes(worker_kind kind, bool captures)
{
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::size_t most = std::min(read_number("/proc/sys/kernel/pid_max", none), read_number("/proc/sys/kernel/threads-max", none));
    rlimit limit{};
    if (kind == worker_kind::process && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        most = std::min<std::size_t>(most, limit.rlim_cur / (captures ? 4 : 3)); // a socket, an event, a pidfd and a pipe each
    return most;
}

} // namespace

std::size_t check_nodes(worker_kind kind, const pool_options& options, std::size_t nodes, const char* name)
{
    if (nodes == 0)
        nodes = usable_cpus();
    if (const std::size_t most = most_nodes(kind, options.child_stderr == error_output::capture); nodes > most)
        refuse(name, "is " + std::to_string(nodes) + ", but this system can have at most " + std::to_string(most) +
                         " workers (processes, threads, open files)");
    return nodes;
}

std::size_t check_options(worker_kind kind, const pool_options& options)
{
    const std::size_t nodes = check_nodes(kind, options, options.nodes, "pool_options::nodes");
    if (options.min_nodes != all_nodes && options.min_nodes > nodes)
        refuse("pool_options::min_nodes", "is " + std::to_string(options.min_nodes) + ", but the pool has " + std::to_string(nodes) +
                                              " nodes; mp::all_nodes keeps them all");
    check_duration("pool_options::idle_timeout", options.idle_timeout);
    if (options.child_concurrency == 0)
        refuse("pool_options::child_concurrency", "is 0: a worker could never run a coroutine task");
    if (options.child_concurrency > 65536)
        refuse("pool_options::child_concurrency", "is more than 65536");
    if (options.max_message_size == 0)
        refuse("pool_options::max_message_size", "is 0: no task could be sent");
    check_duration("pool_options::restarts.window", options.restarts.window);
    check_duration("pool_options::start_timeout", options.start_timeout);
    check_duration("pool_options::stop_grace", options.stop_grace);
    check_duration("pool_options::cancel_grace", options.cancel_grace);
    check_duration("pool_options::max_age_per_child", options.max_age_per_child);
    check_duration("pool_options::spin", options.spin);
    if (!(options.recycle_jitter >= 0 && options.recycle_jitter <= 1))
        refuse("pool_options::recycle_jitter", "must be between 0 and 1");
    if (options.nice < -1 || options.nice > 19)
        refuse("pool_options::nice", "is " + std::to_string(options.nice) + ", but must be from 0 to 19, or -1 for the default");
    if (options.on_overflow != overflow::fail && options.on_overflow != overflow::wait)
        refuse("pool_options::on_overflow", "is not a valid mp::overflow");
    check_duration("pool_options::shed.target", options.shed.target);
    check_duration("pool_options::shed.interval", options.shed.interval);
    if (options.shed.target != duration::zero() && options.shed.interval == duration::zero())
        refuse("pool_options::shed.interval", "is zero: say for how long waits may be longer than the target, 100 ms for example");
    if (options.child_stderr < error_output::inherit || options.child_stderr > error_output::capture)
        refuse("pool_options::child_stderr", "is not a valid mp::error_output");
    if (kind == worker_kind::process) {
        if (options.initializer && !options.initializer.portable())
            refuse("pool_options::initializer", "captures something or holds a value without a codec: it cannot be sent to a process; "
                                                "pass a function and its arguments, mp::task(f, args...)");
        if (options.finalizer && !options.finalizer.portable())
            refuse("pool_options::finalizer", "captures something or holds a value without a codec: it cannot be sent to a process; "
                                              "pass a function and its arguments, mp::task(f, args...)");
        return nodes;
    }
    if (!options.executable.empty())
        refuse("pool_options::executable", "is set, but the workers are threads of this program");
    if (options.max_memory_per_child != 0)
        refuse("pool_options::max_memory_per_child", "is set, but the workers are threads, which share the memory of this program");
    if (options.max_rss_per_child != 0)
        refuse("pool_options::max_rss_per_child", "is set, but the workers are threads, which share the memory of this program");
    if (options.spin != duration::zero())
        refuse("pool_options::spin", "is set, but the workers are threads, which do not spin");
    if (options.max_pending_bytes != 0)
        refuse("pool_options::max_pending_bytes", "is set, but the workers are threads, for which arguments are not made into bytes");
    if (options.child_stderr != error_output::inherit)
        refuse("pool_options::child_stderr", "is set, but the workers are threads, which share the descriptors of this program");
    return nodes;
}

void check_options(const tenant_options& options)
{
    if (options.weight == 0)
        refuse("tenant_options::weight", "is 0: operations of the tenant would never run");
    if (options.weight > 1'000'000)
        refuse("tenant_options::weight", "is more than 1000000");
}

void check_options(const call_options& options)
{
    check_duration("call_options::timeout", options.timeout);
    check_duration("call_options::deadline", options.deadline);
    check_duration("call_options::queue_timeout", options.queue_timeout);
    if (options.prio != priority::low && options.prio != priority::normal && options.prio != priority::high)
        refuse("call_options::prio", "is not a valid mp::priority");
    constexpr auto all = static_cast<unsigned>(asio::cancellation_type::all);
    if (const auto limit = static_cast<unsigned>(options.cancel_limit); limit != all && (limit & ~7u) != 0)
        refuse("call_options::cancel_limit", "is not a valid asio::cancellation_type");
}

} // namespace twat::mp::detail
