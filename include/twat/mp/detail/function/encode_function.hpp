// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_ENCODE_FUNCTION_HPP
#define TWAT_MP_DETAIL_FUNCTION_ENCODE_FUNCTION_HPP

#include <span>
#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/codec/attachments.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/detail/function/function_state.hpp>
#include <twat/mp/detail/function/named_function.hpp>
#include <twat/mp/detail/function/typed_function.hpp>
#include <twat/mp/detail/function/worker_function.hpp>
#include <twat/mp/encoder.hpp>
#include <twat/mp/portable.hpp>

namespace twat::mp::detail {

/// The bytes by which a worker finds a descriptor: {module, place in it, hash, and names for messages}.
class TWAT_MP_DECL descriptor_reference
{
public:
    /// @param d A constant in a loaded module.
    explicit descriptor_reference(const descriptor& d);
    std::span<const std::byte> bytes() const noexcept { return bytes_.bytes(); }

private:
    byte_buffer bytes_;
};

/** A function as bytes, from which `decode_function` makes a `worker_function` in a worker.

    @tparam Args What one task's arguments are sent as; the worker decodes exactly these, in this order, and calls the
    function as const with rvalues of them.
    @param named The worker is another program: name the function as it was registered.
    @throws error `errc::unknown_function` if the worker could not find it: it was not registered, or lies in no module.
*/
template <class F, class... Args>
attached_bytes encode_function(const F& f, bool named)
{
    static_assert((std::is_same_v<Args, std::decay_t<Args>> && ...));
    if constexpr (check_portable<F>()) {
        using function = std::decay_t<F>;
        encoder out;
        out.allow(travellers::memory);
        if (named) {
            by_name<function>::template write<std::remove_cvref_t<raw_result_t<function, Args...>>, Args...>(out, f, 0);
        } else {
            // Never destroyed: functions are sent while the program's globals are destroyed, too.
            static const descriptor_reference& reference = *new descriptor_reference(thunk<function, Args...>::d);
            out.write_bytes(reference.bytes().data(), reference.bytes().size());
            function_state<function>::write(out, f);
        }
        return {std::move(out.buffer()), out.sent() ? std::move(*out.sent()) : attachments()};
    } else {
        return {};
    }
}

} // namespace twat::mp::detail

#endif
