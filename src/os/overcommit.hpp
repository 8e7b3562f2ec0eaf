// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_OVERCOMMIT_HPP
#define TWAT_MP_SRC_OS_OVERCOMMIT_HPP

#include <cstddef>

namespace twat::mp::detail {

/** Makes sure of the memory behind a part of a shared mapping, where the system may run out of it though it gave out the mapping.

    Under `vm.overcommit_memory = 2` a page of shared memory may be refused when it is first touched: the process that touches it dies by SIGBUS.
    There all pages are asked for at once, and this may say no. Elsewhere it does nothing.
*/
bool back_with_memory(std::byte* at, std::size_t size) noexcept;

} // namespace twat::mp::detail

#endif
