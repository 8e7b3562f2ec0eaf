// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_RETRY_HPP
#define TWAT_MP_RETRY_HPP

#include <boost/exception/info.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** Which exceptions of a task are worth another try; see `retry_policy::on`.

    A question to an exception, kept as a plain pointer to a function, so that options stay trivially destructible.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe.

    @par Example
    @code
    constexpr auto busy = mp::retry_on([](const std::exception_ptr& error) { return mp::what_of(error) == "busy"; });
    constexpr auto unread = mp::retry_on::type<std::ios_base::failure, std::system_error>();
    auto patient = pool.with({.retry = {.attempts = 5, .backoff = 100ms, .on = mp::retry_on::transient}});
    patient.map(compress, blocks);
    @endcode
*/
class retry_on
{
public:
    /// The question. Must not throw.
    using question = bool (*)(const std::exception_ptr& error);

    /// Every exception that a task throws.
    static const retry_on any;
    /// Errors of the system that may be gone the next time, by their code (`mp::code_of`): interrupted, would block, timed out, busy, no buffers,
    /// too many open files, out of memory, and connections that were refused, reset, aborted, cut off, or found no way.
    static const retry_on transient;

    /// Exceptions of these types and of those derived from them. From a process they arrive as described at `register_exception`.
    template <class... Exceptions>
    static constexpr retry_on type() noexcept
    {
        return retry_on([](const std::exception_ptr& error) { return (... || is<Exceptions>(error)); });
    }

    /// Those for which `f` returns true.
    constexpr explicit retry_on(question f) noexcept : question_(f) {}

    /// Whether the exception is one of them.
    bool operator()(const std::exception_ptr& error) const { return question_(error); }

private:
    template <class Exception>
    static bool is(const std::exception_ptr& error)
    {
        try {
            std::rethrow_exception(error);
        }
        catch (const Exception&) {
            return true;
        }
        catch (...) {
            return false;
        }
    }

    TWAT_MP_DECL static bool is_transient(const std::exception_ptr& error);

    question question_;
};

inline constexpr retry_on retry_on::any{[](const std::exception_ptr&) { return true; }};
inline constexpr retry_on retry_on::transient{&retry_on::is_transient};

/** How often a task that threw is run again, and when; see `call_options::retry`.

    The pause before the second attempt is `backoff`, and each further one is twice as long as the one before, up to an hour. Meanwhile the task
    holds no worker. An attempt that could not begin before the operation's deadline is not waited for: the exception arrives at once.
*/
struct retry_policy
{
    std::size_t attempts = 1; ///< Runs of a task at most; 1: no exception is retried. At least 1.
    /// Before the second attempt; zero: each begins as soon as a worker is free.
    std::chrono::nanoseconds backoff{};
    /// Each pause is randomly shortened or lengthened by up to this fraction (0 to 1), so that many do not come back at once.
    double jitter = 0.25;
    retry_on on = retry_on::any; ///< Which exceptions.
};

struct BOOST_SYMBOL_VISIBLE errinfo_attempts_tag;
/// How often the task ran that threw it, where `call_options::retry` allows more than one attempt.
using errinfo_attempts = boost::error_info<errinfo_attempts_tag, std::size_t>;
/// A line of `boost::diagnostic_information`.
TWAT_MP_DECL std::string to_string(const errinfo_attempts& info);

} // namespace twat::mp

#endif
