// SPDX-License-Identifier: BSL-1.0
#include "backend/count_nodes.hpp"

#include <string>

#include <twat/mp/detail/operation/check_options.hpp>

#include "start/usable_cpus.hpp"
#include "os/most_workers.hpp"

namespace twat::mp::detail {

std::size_t count_local_nodes(std::size_t wanted, std::size_t descriptors, const char* name)
{
    const std::size_t nodes = wanted != 0 ? wanted : usable_cpus();
    if (const std::size_t most = most_workers(descriptors); nodes > most)
        refuse_option(name, "is " + std::to_string(nodes) + ", but this system can have at most " +
                                std::to_string(most) + " workers (processes, threads, open files)");
    return nodes;
}

} // namespace twat::mp::detail
