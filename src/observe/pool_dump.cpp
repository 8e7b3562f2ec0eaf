// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/pool_dump.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <ostream>

namespace twat::mp {
namespace {

std::string describe(const dumped_task& task, std::chrono::steady_clock::time_point now)
{
    std::string text =
        "  " + std::string(task.suspended ? "suspended" : "runs") + " task " + std::to_string(task.index);
    if (!task.label.empty())
        text += " of " + task.label;
    if (task.since) {
        char took[32];
        std::snprintf(took, sizeof took, " for %.3f s", std::chrono::duration<double>(now - *task.since).count());
        text += took;
    }
    if (!task.function.empty())
        text += ": " + task.function;
    return text + '\n';
}

void indent(std::string& to, const std::string& lines)
{
    for (std::size_t begin = 0; begin < lines.size();) {
        const std::size_t end = std::min(lines.find('\n', begin), lines.size());
        to += "    " + lines.substr(begin, end - begin) + '\n';
        begin = end + 1;
    }
}

std::string describe_time(std::chrono::system_clock::time_point when)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    char text[32] = "";
    if (::gmtime_r(&seconds, &parts))
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

} // namespace

std::string pool_dump::to_string() const
{
    std::string text = describe_time(when) + ": " +
                       (workers.empty() ? "no worker is busy" : std::to_string(workers.size()) + " busy") + '\n';
    for (const dumped_worker& worker : workers) {
        text += "worker " + std::to_string(worker.index) + ", pid " + std::to_string(worker.pid);
        if (worker.thread != 0 && worker.thread != worker.pid)
            text += ", thread " + std::to_string(worker.thread);
        text += '\n';
        for (const dumped_task& task : worker.tasks)
            text += describe(task, at);
        indent(text, worker.stack.to_string());
    }
    return text;
}

std::ostream& operator<<(std::ostream& to, const pool_dump& dump) { return to << dump.to_string(); }

} // namespace twat::mp
