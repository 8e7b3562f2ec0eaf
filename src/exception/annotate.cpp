// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/exception/annotate.hpp>

#include <boost/exception/current_exception_cast.hpp>

#include <memory>
#include <mutex>
#include <unistd.h>

#include <twat/mp/detail/exception/carrier.hpp>

#include "exception/exception_registry.hpp"
#include "exception/standard_exceptions.hpp"
#include "exception/thrown_exception.hpp"

namespace twat::mp::detail {
namespace {

/// A copy of an exception that Boost.Exception knows how to copy whole; the exception itself if it does not.
std::exception_ptr cloned(const std::exception_ptr& error, const std::type_info* type) noexcept
{
    try {
        std::unique_ptr<const boost::exception_detail::clone_base> copy;
        try {
            std::rethrow_exception(error);
        }
        catch (const boost::exception_detail::clone_base& original) {
            copy.reset(original.clone());
        }
        if (copy)
            copy->rethrow();
    }
    catch (...) {
        // It may also be what a copy constructor threw.
        const std::type_info* copied = thrown_exception(std::current_exception()).type;
        if (copied && type && *copied == *type)
            return std::current_exception();
    }
    return error;
}

std::exception_ptr annotated(const std::exception_ptr& error, exception_facts facts)
{
    const thrown_exception thrown(error);
    facts.type_name = thrown.type_name();

    // The same object may have been thrown by several tasks at once, so it is copied if that is possible. What
    // Boost.Exception shares between copies is not for several threads.
    static std::mutex mutex;
    std::unique_lock lock(mutex, std::defer_lock);
    if (thrown.as_boost)
        lock.lock();

    if (thrown.type) {
        const exception_type* registered = exact_registered(*thrown.type);
        const standard_exception* standard = exact_standard_exception(*thrown.type);
        if (registered || standard)
            facts.cause = thrown.nested;
        if (registered)
            return registered->annotate(error, facts);
        if (standard && thrown.as_std)
            return standard->annotate(*thrown.as_std, facts);
    }
    if (thrown.as_boost) {
        std::exception_ptr copy = cloned(error, thrown.type);
        attach(*thrown_exception(copy).as_boost, facts);
        return copy;
    }
    remember_task_index(error, *facts.task_index);
    return error;
}

} // namespace

std::exception_ptr annotate(const std::exception_ptr& error, std::uint64_t index, const std::string& input) noexcept
{
    if (!error)
        return error;
    try {
        exception_facts facts;
        facts.task_index = index;
        facts.worker_pid = ::getpid();
        facts.input = input;
        return annotated(error, std::move(facts));
    }
    catch (...) {
        // No memory, or a copy constructor that throws.
        remember_task_index(error, index);
        return error;
    }
}

} // namespace twat::mp::detail
