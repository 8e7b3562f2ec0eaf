// SPDX-License-Identifier: BSL-1.0
#include "pool/check_state.hpp"

#include <boost/core/demangle.hpp>

#include <stdexcept>

#include <twat/mp/detail/operation/check_options.hpp>

namespace twat::mp::detail {

std::string why_no_state(const pool_options& options, const std::type_info& wanted)
{
    const std::string name = boost::core::demangle(wanted.name());
    if (!options.state)
        return "takes " + name +
               "& as its first parameter, the state of its worker, but pool_options::state is not set";
    if (*options.state.type() != wanted)
        return "takes " + name + "& as its first parameter, but the state of a worker (pool_options::state) is a " +
               boost::core::demangle(options.state.type()->name());
    return {};
}

void check_state(const pool_options& options)
{
    if (options.state && !options.executable.empty())
        refuse_option("pool_options::state",
                      "is set, but the workers are another program (pool_options::executable), which does not know it");
    if (options.initializer.wanted_state())
        refuse_option("pool_options::initializer", "takes the worker's state, which is made after it");
    if (const std::type_info* wanted = options.finalizer.wanted_state())
        if (const std::string why = why_no_state(options, *wanted); !why.empty())
            refuse_option("pool_options::finalizer", why);
}

std::exception_ptr missing_state(const pool_options& options, const std::type_info* wanted)
{
    if (!wanted)
        return nullptr;
    const std::string why = why_no_state(options, *wanted);
    return why.empty() ? nullptr : std::make_exception_ptr(std::logic_error("twat::mp: a task " + why));
}

} // namespace twat::mp::detail
