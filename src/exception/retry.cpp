// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/retry.hpp>

#include <boost/system/errc.hpp>

#include <algorithm>
#include <string>

#include <twat/mp/detail/exception/note_attempts.hpp>
#include <twat/mp/exceptions.hpp>

namespace twat::mp {

bool retry_on::is_transient(const std::exception_ptr& error)
{
    using namespace boost::system::errc;
    constexpr errc_t passing[] = {interrupted,
                                  operation_would_block,
                                  resource_unavailable_try_again,
                                  timed_out,
                                  stream_timeout,
                                  device_or_resource_busy,
                                  no_buffer_space,
                                  not_enough_memory,
                                  too_many_files_open,
                                  too_many_files_open_in_system,
                                  connection_refused,
                                  connection_reset,
                                  connection_aborted,
                                  broken_pipe,
                                  network_down,
                                  network_reset,
                                  network_unreachable,
                                  host_unreachable};
    const boost::system::error_code code = code_of(error);
    return std::any_of(std::begin(passing), std::end(passing), [&](errc_t e) { return code == e; });
}

std::string to_string(const errinfo_attempts& info) { return "attempts: " + std::to_string(info.value()) + "\n"; }

namespace detail {

void note_attempts(const std::exception_ptr& error, std::size_t attempts) noexcept
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::exception& e) {
        e << errinfo_attempts(attempts);
    }
    catch (...) { // it cannot carry anything
    }
}

} // namespace detail
} // namespace twat::mp
