// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/exception/make_error.hpp>

#include <twat/mp/detail/exception/carrier.hpp>
#include <twat/mp/detail/exception/stack_error.hpp>

#include "exception/last_line.hpp"

namespace twat::mp::detail {
namespace {

template <class E, class Make>
std::exception_ptr made(Make make, const exception_facts& facts) noexcept
{
    try {
        return carry<E>(make, facts);
    }
    catch (...) {
        return std::current_exception();
    }
}

error error_of(errc code, const std::string& what) { return what.empty() ? error(code) : error(code, what); }

} // namespace

std::exception_ptr make_error(errc code, const std::string& what) noexcept { return make_nested(code, what, nullptr); }

std::exception_ptr make_error(errc code, const std::string& what, std::size_t task_index) noexcept
{
    return make_nested(code, what, nullptr, task_index);
}

std::exception_ptr make_stack_error(errc code, const std::string& what, std::optional<std::size_t> task_index,
                                    const stacktrace& stack, const parcel& call) noexcept
{
    exception_facts facts;
    facts.task_index = task_index;
    facts.stack = stack;
    facts.call = call;
    return made<error>([&] { return error_of(code, what); }, facts);
}

std::exception_ptr make_nested(errc code, const std::string& what, const std::exception_ptr& cause,
                               std::optional<std::size_t> task_index) noexcept
{
    exception_facts facts;
    facts.task_index = task_index;
    facts.cause = cause;
    return made<error>([&] { return error_of(code, what); }, facts);
}

std::exception_ptr make_start_error(errc code, const std::string& what, int pid, life_phase phase,
                                    const std::string& stderr_tail, const stacktrace& stack) noexcept
{
    try {
        exception_facts facts;
        if (pid != 0)
            facts.worker_pid = pid;
        facts.phase = phase;
        facts.stderr_tail = stderr_tail;
        facts.stack = stack;
        const std::string line = last_line(stderr_tail);
        return made<error>(
            [&] { return error(code, line.empty() ? what : what + "; the last that it wrote: " + line); }, facts);
    }
    catch (...) {
        return std::current_exception();
    }
}

std::exception_ptr make_worker_died(int pid, worker_died::exit_status status, std::optional<std::size_t> task_index,
                                    const std::string& note, const std::string& input,
                                    const worker_died::circumstances& last) noexcept
{
    try {
        exception_facts facts;
        facts.task_index = task_index;
        facts.worker_pid = pid;
        facts.input = input;
        if (last.phase != life_phase::unknown)
            facts.phase = last.phase;
        facts.resident_size = last.resident_size;
        facts.out_of_memory = last.out_of_memory;
        facts.stderr_tail = last.stderr_tail;
        facts.stack = last.stack;
        facts.call = last.call;
        return made<worker_died>([&] { return worker_died(pid, status, task_index, note, last); }, facts);
    }
    catch (...) {
        return std::current_exception();
    }
}

} // namespace twat::mp::detail
