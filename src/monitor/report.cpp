// SPDX-License-Identifier: BSL-1.0
#include "monitor/report.hpp"

#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/get_error_info.hpp>

#include <exception>

#include <twat/mp/stacktrace.hpp>
#include <twat/mp/worker_died.hpp>

namespace twat::mp::detail {
namespace {

stacktrace stack_of(const std::exception& e)
{
    if (const auto* died = dynamic_cast<const worker_died*>(&e))
        return died->stacktrace();
    if (const stacktrace* stack = boost::get_error_info<errinfo_stacktrace>(e))
        return *stack;
    return {};
}

std::string replay_command(const kept_failure& failure, bool parcels)
{
    if (failure.call.empty())
        return {};
    if (!failure.call.file().empty())
        return failure.call.program() + " --twat-mp-replay " + failure.call.file().string();
    if (!parcels)
        return {};
    return failure.call.program() + " --twat-mp-replay " + parcel_name(failure);
}

} // namespace

std::string parcel_name(const kept_failure& failure)
{
    return "task-" + std::to_string(failure.seen.index) + "-" + std::to_string(failure.id) + ".parcel";
}

std::string report_json(const kept_failure& failure, bool parcels)
{
    std::string what = failure.what, stack, details;
    try {
        std::rethrow_exception(failure.seen.error);
    }
    catch (const std::exception& e) {
        what = e.what();
        stack = stack_of(e).to_string();
        details = boost::current_exception_diagnostic_information();
    }
    catch (...) {
        details = boost::current_exception_diagnostic_information();
    }
    return json_list('{')
               .add("what", json_text(what))
               .add("stack", json_text(stack))
               .add("details", json_text(details))
               .add("replay", json_text(replay_command(failure, parcels)))
               .add("parcel", failure.call.empty() || !parcels ? json_text("") : json_text(parcel_name(failure)))
               .close() +
           "\n";
}

} // namespace twat::mp::detail
