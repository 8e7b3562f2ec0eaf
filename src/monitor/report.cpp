// SPDX-License-Identifier: BSL-1.0
#include "monitor/report.hpp"

namespace twat::mp::detail {
namespace {

std::string replay_command(const kept_failure& failure, bool parcels)
{
    if (failure.text.call.empty())
        return {};
    if (!failure.text.call.file().empty())
        return failure.text.call.program() + " --twat-mp-replay " + failure.text.call.file().string();
    if (!parcels)
        return {};
    return failure.text.call.program() + " --twat-mp-replay " + parcel_name(failure);
}

std::string stack_text(const stacktrace& stack)
{
    return (stack.frames().empty() ? "" : stack.where() + "\n") + stack.to_string();
}

} // namespace

std::string parcel_name(const kept_failure& failure)
{
    return "task-" + std::to_string(failure.seen.index) + "-" + std::to_string(failure.id) + ".parcel";
}

std::string report_json(const kept_failure& failure, bool parcels)
{
    return json_list('{')
               .add("what", json_text(failure.text.what))
               .add("stack", json_text(stack_text(failure.text.stack)))
               .add("details", json_text(failure.text.details))
               .add("replay", json_text(replay_command(failure, parcels)))
               .add("parcel", failure.text.call.empty() || !parcels ? json_text("") : json_text(parcel_name(failure)))
               .close() +
           "\n";
}

} // namespace twat::mp::detail
