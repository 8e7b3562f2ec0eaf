// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_CAPTURED_STACK_HPP
#define TWAT_MP_SRC_OS_CAPTURED_STACK_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace twat::mp::detail {

/** The stack of a thread at one moment: addresses, and in which file each lies. Without names, which are looked up later, elsewhere.

    Plain bytes without pointers: it may lie in memory that another process reads. Of what came from there `make_sound` goes first.
*/
struct captured_stack
{
    static constexpr std::size_t most_frames = 256, most_modules = 48, most_name_bytes = 6 * 1024;
    static constexpr std::uint32_t no_module = 0xffff'ffff;

    struct frame
    {
        std::uint64_t address;
        std::uint64_t offset; ///< In the file, of `address`.
        std::uint32_t module; ///< `no_module`: it lies in no file.
        std::uint32_t exact;  ///< Not 0: the address is that of an instruction; otherwise one behind a call.
    };
    struct module
    {
        std::uint32_t begin, size; ///< Of its path, in `names`.
    };

    std::uint32_t thread = 0;
    std::uint32_t frame_count = 0, module_count = 0, name_bytes = 0;
    std::uint32_t cut = 0;                   ///< Not 0: there were more frames than there is room for.
    std::array<frame, most_frames> frames{}; ///< The innermost one first.
    std::array<module, most_modules> modules{};
    std::array<char, most_name_bytes> names{};

    /// Makes all counts and places lie within bounds, whatever they were.
    void make_sound() noexcept;
    /// The file of a frame; empty if there is none. @pre `make_sound` was called, and `index < frame_count`.
    std::string_view module_of(std::size_t index) const noexcept;
};

/** Has everything loaded that `capture_stack` needs. Once, outside of signal handlers. */
void prepare_capture() noexcept;

/** Captures the stack of the calling thread. Async-signal-safe; takes some 10 us, and a stack of 10 KiB.

    @param context In a signal handler, what it was given as its third argument: the stack then begins where the signal came. Written to for
    the time of the call. Null: it begins with the caller.
*/
void capture_stack(captured_stack& into, void* context) noexcept;

/** What is left to do of a `capture_stack` that crashed itself, in a stack that is overwritten: keeps the frames that it came to. Async-signal-safe. */
void finish_capture(captured_stack& of) noexcept;

} // namespace twat::mp::detail

#endif
