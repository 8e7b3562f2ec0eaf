// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_STACKTRACE_HPP
#define TWAT_MP_STACKTRACE_HPP

#include <boost/exception/info.hpp>

#include <cstdint>
#include <exception>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>

namespace twat::mp {

namespace detail {
class stack_source;
}

/** The stack of a worker's thread: where it crashed, or where it was stuck.

    The worker records addresses only. Names are looked up here, in this process, when they are first asked for: this reads debug information
    from disk and takes from milliseconds to a second, so code on an event loop passes the stacktrace on instead of printing it. Where elfutils'
    libdw is missing, or the program has no symbols, a frame has a module and an offset, as `addr2line -e MODULE OFFSET` takes them.

    A stack that a worker was asked for (on time-outs) may arrive after the error that carries it: the first look waits for it, until
    20 ms after it was asked for. `note()` then says why there is none.

    Copies share what was looked up.

    @par Thread Safety
    Const members may be called from any thread, on one object too.
*/
class stacktrace
{
public:
    /// One function that had been called and had not returned.
    struct frame
    {
        std::uintptr_t address = 0; ///< In the worker: of the instruction, or, of a caller, of what follows the call.
        std::string module{};       ///< The program's or library's file; empty if it lies in none.
        std::uintptr_t offset = 0;  ///< In the module.
        std::string function{};     ///< As C++ writes it; empty if it is not known.
        std::string file{};         ///< Of the source; empty if it is not known.
        unsigned line = 0;          ///< 0 if it is not known.
        bool inlined = false;       ///< Into the next frame, with which it shares its address.
    };

    /// An empty one.
    stacktrace() noexcept = default;
    /// @private
    explicit stacktrace(std::shared_ptr<const detail::stack_source> source) noexcept : source_(std::move(source)) {}

    /// Whether there is nothing at all: no stack was recorded or asked for. Does not wait.
    bool empty() const noexcept { return !source_; }

    /// The innermost frame first, up to 256 and those inlined into them. Empty if the worker could not say. May wait and read files, see above.
    TWAT_MP_DECL const std::vector<frame>& frames() const;
    /// Further information as text: the signal and address of a crash, in which system call the worker hangs. May wait.
    TWAT_MP_DECL const std::string& note() const;
    /** Where to look first, in one line without a line end: "stuck at update(int) (/home/me/update.cpp:41)", or "crashed at ...".

        The place is that of the innermost frame of the program's own code, so the call that waits in the C library, not the function of the C library; "at ..." alone where
        nothing went wrong, as in a `pool_dump`. Without names it is a module and an offset. The note if there are no frames; empty if there is nothing. May wait and read
        files.
    */
    TWAT_MP_DECL std::string where() const;
    /// The note and a line for each frame, each with a line end.
    TWAT_MP_DECL std::string to_string() const;

private:
    std::shared_ptr<const detail::stack_source> source_;
};

/// Writes `stack.to_string()`.
TWAT_MP_DECL std::ostream& operator<<(std::ostream& to, const stacktrace& stack);

struct BOOST_SYMBOL_VISIBLE errinfo_stacktrace_tag;
/// Where a worker process crashed (`worker_died`), or what it did when time was over (`task_timed_out`, `deadline_exceeded`). Looked up when it is
/// shown, as by `boost::diagnostic_information`; see there.
using errinfo_stacktrace = boost::error_info<errinfo_stacktrace_tag, stacktrace>;
TWAT_MP_DECL std::string to_string(const errinfo_stacktrace& info);

/** Where the task of an error was stuck, or its worker crashed, in one line: `stacktrace::where` of its `errinfo_stacktrace`, or of the first nested exception that has
    one. Empty for errors without, and for a null pointer.

    For log lines beside `what()`, which does not say it: it is made on the pool's loop, where nobody may wait for a worker's answer or read debug information. This
    does both, so it is not for an event loop.

    @par Thread Safety
    May be called from any thread.

    @par Example
    @code
    catch (const mp::error& e) {
        std::cerr << e.what() << ": " << mp::where_of(std::current_exception()) << '\n';
    }
    @endcode
*/
TWAT_MP_DECL std::string where_of(const std::exception_ptr& error);

} // namespace twat::mp

#endif
