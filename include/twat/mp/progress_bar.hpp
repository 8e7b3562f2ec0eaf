// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_PROGRESS_BAR_HPP
#define TWAT_MP_PROGRESS_BAR_HPP

#include <cstdio>
#include <iosfwd>
#include <memory>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp {

/** A progress callback that shows how far an operation is.

    On a terminal it draws a bar with rate and time left, and what a task reported last (`this_task::report`), at most ten times a second. Elsewhere it writes a plain line every five seconds
    and one at the end. It starts anew with every operation that it is used for; for one at a time. What goes wrong with the stream
    is ignored. Passed by reference, as it keeps what it has drawn.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.

    @par Example
    @code
    auto bar = mp::progress_bar("compressing");
    pool.with({}).on_progress(std::ref(bar)).map(compress, blocks);
    @endcode
*/
class TWAT_MP_DECL progress_bar
{
public:
    /// Writes to `out`. @param label Stands before the bar; may be empty.
    explicit progress_bar(std::string label = {}, std::FILE* out = stderr);
    /// Writes to a C++ stream. `std::cout`, `std::cerr` and `std::clog` may be terminals; other streams are treated as none.
    progress_bar(std::string label, std::ostream& out);

    progress_bar(progress_bar&&) noexcept;
    progress_bar& operator=(progress_bar&&) noexcept;
    /// Ends the line of a bar that was not drawn to its end.
    ~progress_bar();

    /// Draws the state of an operation, if it is time to.
    void operator()(const progress& now);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace twat::mp

#endif
