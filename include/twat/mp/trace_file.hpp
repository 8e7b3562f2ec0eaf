// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TRACE_FILE_HPP
#define TWAT_MP_TRACE_FILE_HPP

#include <filesystem>
#include <memory>

#include <twat/mp/config.hpp>
#include <twat/mp/trace_event.hpp>

namespace twat::mp {

/** Writes what a pool does to a file that shows it as a timeline, in Chrome's `chrome://tracing` or at https://ui.perfetto.dev.

    Each worker is a track with what it ran, each operation a bar from its call to its end; the workers of each host of a pool over several
    hosts stand together, under its name. The file is complete JSON (an array of the
    "Trace Event Format") after every event, however the program ends; each event costs one write to it. Copies write to the same
    file. One file for one pool. If the disk is full, the file ends there.

    @par Thread Safety
    Distinct and shared objects: safe.

    @par Example
    @code
    mp::pool_options options;
    options.on_trace = mp::trace_file("trace.json");
    @endcode
*/
class TWAT_MP_DECL trace_file
{
public:
    /// Makes or empties the file. @throws std::system_error if it cannot be written.
    explicit trace_file(const std::filesystem::path& path);

    /// Writes an event to the file. What fails is ignored.
    void operator()(const trace_event& event) const noexcept;

private:
    class implementation;
    std::shared_ptr<implementation> implementation_;
};

} // namespace twat::mp

#endif
