// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_HOSTS_MEMORY_GROUP_HPP
#define TWAT_MP_TEST_FAULTS_HOSTS_MEMORY_GROUP_HPP

#include <cstddef>
#include <filesystem>
#include <string>

namespace twat::mp::test {

/** A control group of our own with a limit on memory, with this process in it and all children that it starts. The destructor moves this
    process back and removes the group; children must have ended before.

    Made below the group that this process is in, of version 1 or 2, where that is allowed.
*/
class memory_group
{
public:
    explicit memory_group(std::size_t limit_in_bytes);
    memory_group(const memory_group&) = delete;
    memory_group& operator=(const memory_group&) = delete;
    ~memory_group();

    /// Why there is no such group; empty if there is one.
    const std::string& why_not() const noexcept { return why_not_; }

private:
    std::filesystem::path parent_;
    std::filesystem::path group_;
    std::string why_not_;
};

} // namespace twat::mp::test

#endif
