// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/codec.hpp>

#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>
#include <twat/mp/error.hpp>

#include <cstring>
#include <string>

namespace twat::mp {

void encoder::throw_too_large(std::size_t n) const
{
    throw error(errc::message_too_large, std::to_string(buffer_.size() + n) + " bytes exceed the limit of " +
                                             std::to_string(limit_) + " (pool_options::max_message_size)");
}

void decoder::throw_truncated(std::size_t n) const
{
    throw error(errc::decode_failed,
                std::to_string(n) + " bytes were expected and " + std::to_string(remaining()) + " are left");
}

std::size_t decoder::read_length(std::size_t element_size)
{
    std::uint64_t length;
    std::memcpy(&length, read_bytes(sizeof length), sizeof length);
    if (length > remaining() / (element_size == 0 ? 1 : element_size))
        throw error(errc::decode_failed, "a length of " + std::to_string(length) + " exceeds the " +
                                             std::to_string(remaining()) + " bytes that are left");
    return static_cast<std::size_t>(length);
}

namespace detail {

void throw_bad_bytes(const char* what) { throw error(errc::decode_failed, what); }

void throw_bad_value(const char* what) { throw error(errc::encode_failed, what); }

void throw_too_deep(const encoder&)
{
    throw error(errc::encode_failed, "values are nested deeper than " + std::to_string(max_nesting) + " levels");
}

void throw_too_deep(const decoder&)
{
    throw error(errc::decode_failed, "values are nested deeper than " + std::to_string(max_nesting) + " levels");
}

} // namespace detail
} // namespace twat::mp
