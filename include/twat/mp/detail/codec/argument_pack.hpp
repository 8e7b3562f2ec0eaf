// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_ARGUMENT_PACK_HPP
#define TWAT_MP_DETAIL_CODEC_ARGUMENT_PACK_HPP

#include <cstddef>
#include <functional>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/decoder.hpp>

namespace twat::mp::detail {

template <std::size_t I, class T>
struct argument_slot
{
    T value;
};

template <class Indices, class... Args>
struct argument_slots;

template <std::size_t... I, class... Args>
struct argument_slots<std::index_sequence<I...>, Args...> : argument_slot<I, Args>...
{
    // Bases are constructed in the order of their declaration, which is the order of the bytes.
    explicit argument_slots([[maybe_unused]] decoder& in) : argument_slot<I, Args>{in.template read<Args>()}... {}

    /// Calls `f` with every argument as an rvalue. The arguments live on: `f` may return something that refers to them.
    template <class F>
    decltype(auto) call(const F& f)
    {
        return std::invoke(f, std::move(static_cast<argument_slot<I, Args>&>(*this).value)...);
    }

    template <class Visitor>
    void visit([[maybe_unused]] Visitor& visitor) const
    {
        (visitor(static_cast<const argument_slot<I, Args>&>(*this).value), ...);
    }
};

/// One task's arguments in a worker, decoded. Unlike a tuple it needs no moves and is never confused by `Args`.
template <class... Args>
using argument_pack = argument_slots<std::index_sequence_for<Args...>, Args...>;

} // namespace twat::mp::detail

#endif
