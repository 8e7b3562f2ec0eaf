// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_DESCRIPTORS_HPP
#define OFFLOAD_DESCRIPTORS_HPP

#include "settings.hpp"

namespace offload {

/** Raises the limit of open files as far as this process may, and checks that the workers and some clients fit below it.
    @throws std::runtime_error, if they do not.
*/
void check_descriptors(const settings& s);

} // namespace offload

#endif
