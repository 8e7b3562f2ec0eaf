// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_FUNCTION_FUNCTION_HPP
#define TWAT_MP_SRC_FUNCTION_FUNCTION_HPP

#include <memory>

#include <twat/mp/decoder.hpp>
#include <twat/mp/detail/function/worker_function.hpp>

namespace twat::mp::detail {

/** Finds the function that `encode_function` or `task::encode` wrote, and reads what was bound to it.

    Nothing is called before everything is checked: that the module is loaded and of the same build, that the place in it
    can hold a descriptor, and that the descriptor is the one that was meant. Reads exactly what was written; what follows in
    `in` is the caller's.

    @throws error `errc::unknown_function` if there is no such function here, saying which and what to do;
    `errc::decode_failed` if the bytes make no sense.
*/
std::unique_ptr<worker_function> decode_function(decoder& in);

} // namespace twat::mp::detail

#endif
