// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/worker_died.hpp>

#include <csignal>
#include <cstring>

namespace twat::mp {
namespace {

std::string describe(int pid, const worker_died::exit_status& status, std::optional<std::size_t> task_index,
                     const std::string& note)
{
    std::string text = "worker " + std::to_string(pid);
    if (!status.known)
        text += " ended, nobody knows how (is SIGCHLD ignored, or does the program reap all children itself?),";
    else if (status.signal != 0) {
        text += " was killed by signal " + std::to_string(status.signal);
        // Unlike strsignal, this one is safe in threads and ignores the locale.
        if (const char* name = ::sigdescr_np(status.signal))
            text += std::string(" (") + name + ')';
        if (status.signal == SIGKILL)
            text += ", perhaps by the system for want of memory,";
    }
    else
        text += " ended with exit code " + std::to_string(status.exit_code);
    if (task_index)
        text += " while it ran task " + std::to_string(*task_index);
    else if (text.back() == ',')
        text.pop_back();
    if (!note.empty())
        text += ": " + note;
    return text;
}

} // namespace

worker_died::worker_died(int pid, exit_status status, std::optional<std::size_t> task_index, const std::string& note)
    : error(errc::worker_died),
      text_(std::make_shared<const std::string>(describe(pid, status, task_index, note))),
      status_(status),
      task_index_(task_index),
      pid_(pid)
{
    // What is not known reads as zero, as the getters say.
    if (!status_.known)
        status_ = {};
    else if (status_.signal != 0)
        status_.exit_code = 0;
}

} // namespace twat::mp
