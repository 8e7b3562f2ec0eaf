// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_EXCEPTIONS_HPP
#define TWAT_MP_EXCEPTIONS_HPP

#include <boost/exception/get_error_info.hpp>
#include <boost/exception/info.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/life_phase.hpp>

namespace twat::mp {

struct BOOST_SYMBOL_VISIBLE errinfo_task_index_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_worker_pid_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_type_name_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_input_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_details_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_life_phase_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_resident_size_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_out_of_memory_tag;
struct BOOST_SYMBOL_VISIBLE errinfo_stderr_tail_tag;

/// The position in the input, from 0, of the task that threw.
using errinfo_task_index = boost::error_info<errinfo_task_index_tag, std::size_t>;
/// The process in which it threw: a worker's, or this one for threads.
using errinfo_worker_pid = boost::error_info<errinfo_worker_pid_tag, int>;
/// The type that was thrown, as C++ writes it.
using errinfo_type_name = boost::error_info<errinfo_type_name_tag, std::string>;
/// The arguments of the task that threw. Absent if they cannot be shown as text.
using errinfo_input = boost::error_info<errinfo_input_tag, std::string>;
/// Processes: what Boost.Exception had attached to it in the worker (place of the throw, `error_info`s), as text.
using errinfo_details = boost::error_info<errinfo_details_tag, std::string>;
/// Of `worker_died`: what the worker was doing.
using errinfo_life_phase = boost::error_info<errinfo_life_phase_tag, life_phase>;
/// Of `worker_died`: its largest known resident size, in bytes. Absent if none is known.
using errinfo_resident_size = boost::error_info<errinfo_resident_size_tag, std::size_t>;
/// Of `worker_died`: whether it was killed because memory ran out.
using errinfo_out_of_memory = boost::error_info<errinfo_out_of_memory_tag, memory_verdict>;
/// Of errors that tell of a worker's end: the end of what it wrote to its standard error, if that was captured.
using errinfo_stderr_tail = boost::error_info<errinfo_stderr_tail_tag, std::string>;

// One line each of boost::diagnostic_information.
TWAT_MP_DECL std::string to_string(const errinfo_task_index& info);
TWAT_MP_DECL std::string to_string(const errinfo_worker_pid& info);
TWAT_MP_DECL std::string to_string(const errinfo_type_name& info);
TWAT_MP_DECL std::string to_string(const errinfo_input& info);
TWAT_MP_DECL std::string to_string(const errinfo_details& info);
TWAT_MP_DECL std::string to_string(const errinfo_life_phase& info);
TWAT_MP_DECL std::string to_string(const errinfo_resident_size& info);
TWAT_MP_DECL std::string to_string(const errinfo_out_of_memory& info);
TWAT_MP_DECL std::string to_string(const errinfo_stderr_tail& info);

/** What a task in a worker process threw, if its type is neither a standard one, nor derived from one, nor made known with
    `register_exception`. `what()` is that of the exception in the worker.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const.
*/
class BOOST_SYMBOL_VISIBLE remote_error : public std::runtime_error
{
public:
    /// With the type and the `what()` of the exception that it stands for.
    TWAT_MP_DECL remote_error(const std::string& type_name, const std::string& what);

    /// The type that was thrown, as C++ writes it.
    const std::string& type_name() const noexcept { return *type_name_; }

private:
    std::shared_ptr<const std::string> type_name_; // shared, so that copying cannot throw
};

/** The position in the input of the task that threw `error`; nothing if no task did.

    It answers for every type. Of types that cannot carry it (thrown on threads, and not standard, registered or derived from
    `boost::exception`) the last 1024 exceptions of the process are remembered, and so kept alive.

    @par Thread Safety
    May be called from any thread.
*/
TWAT_MP_DECL std::optional<std::size_t> task_index(const std::exception_ptr& error) noexcept;

/** The error code of an exception, for programs that test codes instead of catching types.

    No error for a null pointer. The code of a `boost::system::system_error`, a `std::system_error` or a `std::future_error`, so of every
    `mp::error`; `not_enough_memory` of the generic category for `std::bad_alloc`; `errc::task_threw` for every other exception.

    @par Thread Safety
    May be called from any thread.

    @par Example
    @code
    if (mp::code_of(error) == mp::errc::worker_died)
        return run_it_again;
    @endcode
*/
TWAT_MP_DECL boost::system::error_code code_of(const std::exception_ptr& error) noexcept;

/** The text of an exception: its `what()`. The name of the type for what is no `std::exception`; empty for a null pointer.

    `boost::diagnostic_information` tells more.

    @par Thread Safety
    May be called from any thread.
*/
TWAT_MP_DECL std::string what_of(const std::exception_ptr& error);

} // namespace twat::mp

#endif
