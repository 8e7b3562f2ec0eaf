// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/error.hpp>

#include <string>

namespace twat::mp {
namespace {

class mp_category final : public boost::system::error_category
{
public:
    const char* name() const noexcept override { return "twat.mp"; }

    std::string message(int value) const override
    {
        switch (static_cast<errc>(value)) {
        case errc::pool_closed: return "the pool was closed";
        case errc::pool_terminated: return "the pool was terminated";
        case errc::pool_broken: return "the pool is broken: its workers died or failed to start too often";
        case errc::queue_full: return "too many calls wait for a worker";
        case errc::worker_died: return "a worker process died while it ran the task";
        case errc::worker_start_failed: return "a worker process could not be started";
        case errc::initializer_failed: return "the initializer of a worker failed";
        case errc::task_timed_out: return "the task ran longer than its timeout";
        case errc::deadline_exceeded: return "the operation took longer than its deadline";
        case errc::queue_timed_out: return "no task of the operation began within its queue timeout";
        case errc::task_quarantined: return "the task killed every worker that it was given to";
        case errc::would_deadlock: return "a blocking call was made where it could never return";
        case errc::nesting_too_deep: return "pools inside workers are nested too deeply";
        case errc::encode_failed: return "a value could not be encoded";
        case errc::decode_failed: return "a value could not be decoded";
        case errc::message_too_large: return "an argument list or a result is too large";
        case errc::unknown_function: return "the worker does not have this function";
        case errc::build_mismatch: return "the worker is another build of the program";
        case errc::protocol_error: return "a worker sent malformed data";
        case errc::task_threw: return "an exception was thrown that has no error code";
        case errc::host_lost: return "the host of the task is gone, and the task may have run";
        case errc::no_agents: return "no agent of this build serves the cluster pool";
        case errc::broker_failed: return "the broker of the cluster pool cannot be used";
        }
        return "unknown twat.mp error " + std::to_string(value);
    }
};

} // namespace

const boost::system::error_category& error_category() noexcept
{
    static const mp_category category;
    return category;
}

} // namespace twat::mp
