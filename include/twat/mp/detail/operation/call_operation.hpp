// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CALL_OPERATION_HPP
#define TWAT_MP_DETAIL_OPERATION_CALL_OPERATION_HPP

#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/function/stateful.hpp>
#include <twat/mp/detail/operation/operation.hpp>

namespace twat::mp::detail {

/** The part of an operation that depends on where its tasks run: the function, the form of arguments and results.

    Specialised for calls as bytes (process_call.hpp) and in place (thread_call.hpp), by `Workers::encodes`. Gives those who derive from it `append`, which adds a task to a payload, and `take`,
    which reads a result.
*/
template <class Workers, class F, class Parameters, bool Encoded = Workers::encodes>
class call_operation;

template <class F>
operation_traits with_function(operation_traits traits, bool coroutine)
{
    traits.coroutine = coroutine;
    traits.state = wanted_state<F>::type();
    return traits;
}

} // namespace twat::mp::detail

#endif
