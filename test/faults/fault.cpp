// SPDX-License-Identifier: BSL-1.0
#include "fault.hpp"

#include <csignal>
#include <cstdlib>
#include <new>
#include <ostream>
#include <stdexcept>

#include <sys/resource.h>
#include <unistd.h>

namespace twat::mp::test {
namespace {

// Not a tail call, and not known to be endless.
[[gnu::noinline]] int descend(volatile int* from)
{
    volatile int room[1024];
    room[0] = *from + 1;
    return room[0] < 0 ? 0 : descend(room) + room[0];
}

volatile bool for_ever = true;

} // namespace

void commit(cause what)
{
    // Sanitizers would report and exit instead; a core file is of no use.
    std::signal(SIGSEGV, SIG_DFL);
    std::signal(SIGABRT, SIG_DFL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    switch (what) {
    case cause::segv: std::raise(SIGSEGV); return;
    case cause::abort: std::abort();
    case cause::exit_0: ::_exit(0);
    case cause::exit_1: ::_exit(1);
    case cause::kill: ::kill(::getpid(), SIGKILL); return;
    case cause::stop: ::kill(::getpid(), SIGSTOP); return;
    case cause::throw_standard: throw std::domain_error("boom");
    case cause::throw_int: throw 42;
    case cause::throw_bad_alloc: throw std::bad_alloc();
    case cause::hang:
        while (for_ever) {
        }
        return;
    case cause::stack_overflow: {
        volatile int start = 0;
        start = descend(&start);
        return;
    }
    }
}

bool is_throw(cause what)
{
    return what == cause::throw_standard || what == cause::throw_int || what == cause::throw_bad_alloc;
}

bool is_silence(cause what) { return what == cause::stop || what == cause::hang; }

int expected_signal(cause what)
{
    switch (what) {
    case cause::segv:
    case cause::stack_overflow: return SIGSEGV;
    case cause::abort: return SIGABRT;
    case cause::kill: return SIGKILL;
    default: return 0;
    }
}

int expected_exit_code(cause what) { return what == cause::exit_1 ? 1 : 0; }

std::ostream& operator<<(std::ostream& os, cause what)
{
    static constexpr const char* names[] = {"segv",          "abort",          "exit_0",    "exit_1",          "kill",
                                            "stop",          "throw_standard", "throw_int", "throw_bad_alloc", "hang",
                                            "stack_overflow"};
    return os << names[static_cast<int>(what)];
}

std::ostream& operator<<(std::ostream& os, step when)
{
    static constexpr const char* names[] = {"decode", "call", "encode"};
    return os << names[static_cast<int>(when)];
}

} // namespace twat::mp::test
