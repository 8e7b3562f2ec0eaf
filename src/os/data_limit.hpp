// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_DATA_LIMIT_HPP
#define TWAT_MP_SRC_OS_DATA_LIMIT_HPP

#include <cstddef>

namespace twat::mp::detail {

/** A limit on the memory that this process may have for itself, which can be set and taken back.

    RLIMIT_DATA of Linux, which counts what is mapped. Another system would have to use RLIMIT_AS, which counts shared memory and programs too, or
    do without: macOS keeps to neither.
*/
class data_limit
{
public:
    /// Not set yet, and no larger than the one that the process has. False: the system has none.
    bool prepare(std::size_t bytes) noexcept;
    void set() const noexcept;
    void take_back() const noexcept;

private:
    std::size_t usual_ = 0, most_ = 0, limited_ = 0;
};

} // namespace twat::mp::detail

#endif
