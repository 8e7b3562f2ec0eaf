// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/worker_died.hpp>

#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "exception/last_line.hpp"

namespace twat::mp {
namespace {

std::string describe(int pid, const worker_died::exit_status& status, std::optional<std::size_t> task_index,
                     const std::string& note, const worker_died::circumstances& last)
{
    std::string text = "worker " + std::to_string(pid);
    if (!status.known)
        text += " ended with unknown status (is SIGCHLD ignored, or does the program reap all children itself?),";
    else if (status.signal != 0) {
        text += " was killed by signal " + std::to_string(status.signal);
        // Unlike strsignal, this one is safe in threads and ignores the locale.
        if (const char* name = ::sigdescr_np(status.signal))
            text += std::string(" (") + name + ')';
        if (status.signal == SIGKILL && last.out_of_memory != memory_verdict::unlikely)
            text += last.out_of_memory == memory_verdict::likely ? ", by the kernel's out-of-memory killer,"
                                                                 : ", perhaps by the kernel's out-of-memory killer,";
    } else
        text += " ended with exit code " + std::to_string(status.exit_code);
    const bool knows_phase = last.phase != life_phase::unknown;
    if (task_index && last.bystander)
        text += " while task " + std::to_string(*task_index) + " was suspended in it";
    else if (task_index) {
        text += " while it ran task " + std::to_string(*task_index);
        if (knows_phase)
            text += std::string(" (") + to_string(last.phase) + ')';
    } else if (knows_phase)
        text += std::string(" while ") + to_string(last.phase);
    else if (text.back() == ',')
        text.pop_back();
    if (!note.empty())
        text += ": " + note;
    if (const auto line = detail::last_line(last.stderr_tail); !line.empty())
        text += "; the last that it wrote: " + line;
    return text;
}

} // namespace

worker_died::worker_died(int pid, exit_status status, std::optional<std::size_t> task_index, const std::string& note)
    : worker_died(pid, status, task_index, note, circumstances())
{}

worker_died::worker_died(int pid, exit_status status, std::optional<std::size_t> task_index, const std::string& note,
                         circumstances last)
    : error(errc::worker_died), status_(status), task_index_(task_index), pid_(pid)
{
    std::string what = describe(pid, status, task_index, note, last);
    facts_ = std::make_shared<const facts>(facts{std::move(what), std::move(last)});
    // What is not known reads as zero, as the getters say.
    if (!status_.known)
        status_ = {};
    else if (status_.signal != 0)
        status_.exit_code = 0;
}

} // namespace twat::mp
