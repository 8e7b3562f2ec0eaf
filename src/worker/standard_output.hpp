// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_STANDARD_OUTPUT_HPP
#define TWAT_MP_SRC_WORKER_STANDARD_OUTPUT_HPP

#include <cstdio>
#include <iostream>
#include <streambuf>

#if !defined(__GLIBC__)
#include <stdio_ext.h>
#endif

namespace twat::mp::detail {

/** Writes out what tasks have left in the buffers of standard output, which a worker that is killed would take with it.

    Done before the outcome of a task is published, so that whoever has the outcome finds the output, too. Costs 2 ns where there is nothing to
    write, and otherwise a system call for each task that has printed something, as on a terminal.
*/
class standard_output
{
public:
    static void flush() noexcept
    {
        if (is_pending())
            flush_now();
    }

private:
    // Names protected members of other objects, which only a derived class may.
    struct buffer : std::streambuf
    {
        static bool holds_something(const std::streambuf* of) noexcept
        {
            return of && (of->*&buffer::pptr)() != (of->*&buffer::pbase)();
        }
    };

    static bool holds_something(std::FILE* of) noexcept
    {
#if defined(__GLIBC__) // The same without a call.
        return of->_IO_write_ptr > of->_IO_write_base || of->_mode > 0;
#else
        return ::__fpending(of) != 0;
#endif
    }

    static bool is_pending() noexcept
    {
        // C++'s streams have buffers of their own only after sync_with_stdio(false).
        return holds_something(stdout) || buffer::holds_something(std::cout.rdbuf()) ||
               buffer::holds_something(std::clog.rdbuf());
    }

    static void flush_now() noexcept;
};

} // namespace twat::mp::detail

#endif
