// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_FAULT_HPP
#define TWAT_MP_TEST_FAULTS_FAULT_HPP

#include <array>
#include <iosfwd>

namespace twat::mp::test {

/// What befalls a worker.
enum class cause {
    segv,
    abort,
    exit_0,
    exit_1,
    kill,           ///< SIGKILL to itself.
    stop,           ///< SIGSTOP to itself: alive, and never answers.
    throw_standard, ///< `std::domain_error("boom")`.
    throw_int,
    throw_bad_alloc,
    hang, ///< A loop that looks at nothing.
    stack_overflow,
};

inline constexpr std::array all_causes{
    cause::segv,           cause::abort,     cause::exit_0,          cause::exit_1, cause::kill,          cause::stop,
    cause::throw_standard, cause::throw_int, cause::throw_bad_alloc, cause::hang,   cause::stack_overflow};

/// In which step of a task.
enum class step { decode, call, encode };

inline constexpr std::array all_steps{step::decode, step::call, step::encode};

std::ostream& operator<<(std::ostream& os, cause what);
std::ostream& operator<<(std::ostream& os, step when);

/// Lets it happen to this process.
void commit(cause what);

bool is_throw(cause what);
bool is_silence(cause what); ///< It needs somebody who loses patience.

/// How the process ends by it.
int expected_signal(cause what);
int expected_exit_code(cause what);

} // namespace twat::mp::test

#endif
