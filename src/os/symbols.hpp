// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_SYMBOLS_HPP
#define TWAT_MP_SRC_OS_SYMBOLS_HPP

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace twat::mp::detail {

/// A place in a program or library.
struct code_place
{
    std::string file;
    std::uint64_t offset = 0; ///< In the file.
    bool exact = false;       ///< It is an instruction; otherwise what follows a call.
};

/// A function, and a line in it.
struct code_symbol
{
    std::string function, file; ///< Empty: not known.
    unsigned line = 0;          ///< 0: not known.
    bool inlined = false;       ///< Into the next one.
};

struct looked_up_place
{
    /// As `addr2line -e file` wants it; of `code_place::offset` if the file cannot be read.
    std::uint64_t offset = 0;
    std::vector<code_symbol> symbols; ///< The innermost first; empty if nothing is known.
};

/** Looks up what stands at some places, by elfutils' libdw, which is loaded when it is first used: it is no part of the program's start, and
    where it is missing (or was, when this was compiled) nothing has a name.

    Reads debug information from disk: milliseconds for a small program, up to a second for a large one. Any thread; one at a time.
*/
std::vector<looked_up_place> look_up(std::span<const code_place> places);

/// Whether names can be looked up at all.
bool can_look_up() noexcept;

} // namespace twat::mp::detail

#endif
