// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_DECODED_RESULT_HPP
#define TWAT_MP_DETAIL_OPERATION_DECODED_RESULT_HPP

#include <memory>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>

namespace twat::mp::detail {

/** A result that was decoded before its operation gets it: away from the pool's strand, because it is large. */
class TWAT_MP_DECL decoded_result
{
public:
    decoded_result() = default;
    decoded_result(const decoded_result&) = delete;
    decoded_result& operator=(const decoded_result&) = delete;
    virtual ~decoded_result();
};

template <class T>
struct decoded_value final : decoded_result
{
    explicit decoded_value(decoder& in) : value(in.template read<T>()) {}

    T value;
};

/// Decodes a result. It depends on nothing but the type: it may run on any thread, also when the operation is over or its context is gone.
using result_decoder = std::unique_ptr<decoded_result> (*)(decoder& in);

template <class T>
std::unique_ptr<decoded_result> decode_result(decoder& in)
{
    return std::make_unique<decoded_value<T>>(in);
}

} // namespace twat::mp::detail

#endif
