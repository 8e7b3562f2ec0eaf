// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WIRE_EXCEPTION_HPP
#define TWAT_MP_SRC_WIRE_EXCEPTION_HPP

#include <twat/mp/config.hpp>

#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>

namespace twat::mp::detail {

/// What the worker knows about the task that threw.
struct exception_context
{
    std::string_view input{}; ///< Its arguments as text; empty if they cannot be shown.
};

/** Appends an exception to `out`, as bytes that `decode_exception` understands.

    Never fails: what cannot be sent whole (memory, a codec that throws, `out.limit()`) is sent with less detail, at the worst
    as no bytes at all, of which `decode_exception` still makes an exception. `what()` and the like are cut at 64 KiB, the chain
    of nested exceptions at 16.
*/
TWAT_MP_DECL void encode_exception(encoder& out, const std::exception_ptr& error,
                                   const exception_context& context = {}) noexcept;

/** Makes a fresh exception of the bytes, with the task's index and the worker's pid attached.

    @param index Nothing if it was no task that threw (an initializer, say).
    @param in Exactly the bytes that `encode_exception` appended. If they make no sense, the exception is an `mp::error`
    with `errc::decode_failed`.
*/
TWAT_MP_DECL std::exception_ptr decode_exception(decoder& in, std::optional<std::uint64_t> index, int pid) noexcept;

} // namespace twat::mp::detail

#endif
