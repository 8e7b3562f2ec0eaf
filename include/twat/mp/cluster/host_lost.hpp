// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CLUSTER_HOST_LOST_HPP
#define TWAT_MP_CLUSTER_HOST_LOST_HPP

#include <cstddef>
#include <memory>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp {

/** The host of a task is gone, or cut off for longer than `cluster_options::lease`, and the task may have run there, wholly or in part.

    Thrown only by tasks that may have begun; what had not begun runs elsewhere. With `call_options::retries` the task runs again. Code:
    `errc::host_lost`.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const.
*/
class BOOST_SYMBOL_VISIBLE host_lost : public error
{
public:
    /// @param note Why it is known to be lost.
    host_lost(const std::string& host, std::size_t task_index, const std::string& note = {})
        : error(errc::host_lost, "task " + std::to_string(task_index) + " may have run on " + host + ", which is gone" +
                                     (note.empty() ? std::string() : ": " + note) +
                                     " (call_options::retries runs such tasks again)"),
          host_(std::make_shared<const std::string>(host)), task_index_(task_index)
    {}

    /// As its agent calls it: `agent_options::host`, by default the system's name.
    const std::string& host() const noexcept { return *host_; }
    /// The position in the input, from 0.
    std::size_t task_index() const noexcept { return task_index_; }

private:
    std::shared_ptr<const std::string> host_; // shared, so that copying cannot throw
    std::size_t task_index_;
};

} // namespace twat::mp

#endif
