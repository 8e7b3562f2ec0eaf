// SPDX-License-Identifier: BSL-1.0
#include "descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>

namespace offload {

void check_descriptors(const settings& s)
{
    // with room for a worker that is started while another one leaves
    constexpr std::size_t base = 24, each_worker = 6, clients = 16;
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (const rlim_t wanted = std::min<rlim_t>(files.rlim_max, 65536); files.rlim_cur < wanted) {
        const rlimit more{wanted, files.rlim_max};
        if (::setrlimit(RLIMIT_NOFILE, &more) == 0)
            files = more;
    }
    const std::size_t workers = s.workers != 0 ? s.workers : std::max(1u, std::thread::hardware_concurrency());
    const std::size_t needed = base + (s.where == mode::processes ? each_worker * workers : 0) + clients;
    if (files.rlim_cur < needed)
        throw std::runtime_error("this process may have " + std::to_string(files.rlim_cur) +
                                 " open files (ulimit -n); with " + std::to_string(workers) + " workers it needs " +
                                 std::to_string(needed));
}

} // namespace offload
