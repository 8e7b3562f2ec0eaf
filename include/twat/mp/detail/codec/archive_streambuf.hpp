// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_ARCHIVE_STREAMBUF_HPP
#define TWAT_MP_DETAIL_CODEC_ARCHIVE_STREAMBUF_HPP

#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

#include <cstddef>
#include <streambuf>

namespace twat::mp::detail {

/// Appends to an encoder, without a buffer of its own.
class encoder_streambuf final : public std::streambuf
{
public:
    explicit encoder_streambuf(encoder& out) : out_(out) {}

private:
    std::streamsize xsputn(const char* from, std::streamsize n) override
    {
        out_.write_bytes(from, static_cast<std::size_t>(n));
        return n;
    }

    int_type overflow(int_type c) override
    {
        if (!traits_type::eq_int_type(c, traits_type::eof()))
            *out_.extend(1) = static_cast<std::byte>(traits_type::to_char_type(c));
        return traits_type::not_eof(c);
    }

    encoder& out_;
};

/// Reads what is left in a decoder; `finish` takes from it what was read.
class decoder_streambuf final : public std::streambuf
{
public:
    explicit decoder_streambuf(decoder& in) : in_(in)
    {
        // The stream only reads, but its interface wants pointers to what can be written.
        char* const begin = const_cast<char*>(reinterpret_cast<const char*>(in.rest().data()));
        setg(begin, begin, begin + in.remaining());
    }

    void finish() { in_.read_bytes(static_cast<std::size_t>(gptr() - eback())); }

private:
    decoder& in_;
};

} // namespace twat::mp::detail

#endif
