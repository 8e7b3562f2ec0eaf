// SPDX-License-Identifier: BSL-1.0
#include "os/limits.hpp"

#include <cerrno>

#include <sys/resource.h>

namespace twat::mp::detail {
namespace {

std::string value_of(__rlimit_resource resource)
{
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0)
        return "not known";
    return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

} // namespace

std::string explain_limit(const boost::system::error_code& ec)
{
    if (ec.category() != boost::system::system_category() && ec.category() != boost::system::generic_category())
        return {};
    switch (ec.value()) {
    case EMFILE:
        return " (RLIMIT_NOFILE, the open files of this process, is " + value_of(RLIMIT_NOFILE) +
               "; a worker process needs 4, and 4 more while it starts: raise it with ulimit -n, or use fewer nodes)";
    case ENFILE: return " (the open files of the whole system, fs.file-max)";
    case EAGAIN:
        return " (RLIMIT_NPROC, the processes and threads of this user, is " + value_of(RLIMIT_NPROC) +
               "; the cgroup's pids.max and kernel.threads-max count, too)";
    default: return {};
    }
}

} // namespace twat::mp::detail
