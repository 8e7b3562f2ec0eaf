// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_WORKER_FUNCTION_HPP
#define TWAT_MP_DETAIL_FUNCTION_WORKER_FUNCTION_HPP

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

namespace twat::mp::detail {

/** The user's function inside a worker process: made from bytes, called with bytes.

    One object serves all tasks of one operation in one worker; it holds what `partial` bound. Implemented by templates
    in `portable.hpp`.
*/
class TWAT_MP_DECL worker_function
{
public:
    worker_function() = default;
    worker_function(const worker_function&) = delete;
    worker_function& operator=(const worker_function&) = delete;
    virtual ~worker_function();

    /// Whether tasks are coroutines, called through `call_async`; otherwise through `call`.
    virtual bool is_coroutine() const noexcept = 0;

    /// Decodes one task's arguments, calls the function, encodes its result. Lets the function's exceptions pass.
    virtual void call(decoder& arguments, encoder& result) const = 0;

    /// The same for a coroutine. `arguments` is decoded before the first suspension; `result` outlives the coroutine.
    virtual asio::awaitable<void> call_async(decoder arguments, encoder& result) const = 0;

    /// The arguments as text, for `errinfo_input`; empty if they cannot be shown. Never throws for bad bytes.
    virtual std::string describe(decoder arguments) const = 0;
};

/** What the caller's process names and the worker's process finds: one constant for each function type. */
struct descriptor
{
    std::uint64_t magic; ///< `descriptor_magic`; anything else is no descriptor.
    std::uint64_t hash;  ///< Of `text`.
    /// Reads what `partial` bound, or a pointer to function.
    std::unique_ptr<worker_function> (*make)(decoder& state);
    const char* text; ///< The signature, for messages.
};

inline constexpr std::uint64_t descriptor_magic = 0x7477'6174'6d70'6664; // "twatmpfd"

} // namespace twat::mp::detail

#endif
