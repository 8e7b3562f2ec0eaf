// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DECODER_HPP
#define TWAT_MP_DECODER_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <twat/mp/config.hpp>

namespace twat::mp {

namespace detail {
template <class Coder>
class nesting;
}

/** Turns bytes back into values; the counterpart of `encoder`.

    Never reads outside its bytes and never allocates more than a small multiple of them, whatever they are: every
    length is checked against what is left before it is used. Bad bytes throw `mp::error` with `errc::decode_failed`.
    Does not own the bytes. Distinct objects: safe. Shared objects: unsafe.
*/
class decoder
{
public:
    decoder() = default;
    /// Reads `bytes`, which must live as long as the decoder.
    explicit decoder(std::span<const std::byte> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    /// Reads a value that `encoder::write` wrote as the same type, by the rules of `codec.hpp`.
    template <class T>
    T read();

    /// Takes the next `n` bytes. They lie in the decoder's buffer, without any alignment.
    const std::byte* read_bytes(std::size_t n)
    {
        if (n > remaining())
            throw_truncated(n);
        const std::byte* from = at_;
        at_ += n;
        return from;
    }

    /// Reads the number of elements of a container, each of which takes at least `element_size` bytes.
    TWAT_MP_DECL std::size_t read_length(std::size_t element_size = 1);

    /// How many bytes are left.
    std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    /// The bytes that are left; reading goes on where it was.
    std::span<const std::byte> rest() const noexcept { return {at_, remaining()}; }

    /// @private Where the keys of shared memory are put down that is read; null: nowhere.
    void note_memory_in(std::vector<std::uint64_t>* keys) noexcept { memory_ = keys; }
    /// @private
    std::vector<std::uint64_t>* noted_memory() const noexcept { return memory_; }

private:
    [[noreturn]] TWAT_MP_DECL void throw_truncated(std::size_t n) const;

    template <class Coder>
    friend class detail::nesting;

    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    std::vector<std::uint64_t>* memory_ = nullptr;
    std::size_t depth_ = 0; // of the value being read inside others
};

} // namespace twat::mp

#endif
