// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TASK_HPP
#define TWAT_MP_TASK_HPP

#include <twat/mp/config.hpp>

namespace twat::mp {

class task
{
};

} // namespace twat::mp

#endif
