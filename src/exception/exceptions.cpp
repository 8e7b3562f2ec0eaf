// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/exceptions.hpp>

#include <boost/core/demangle.hpp>
#include <boost/exception/errinfo_nested_exception.hpp>
#include <boost/exception_ptr.hpp>
#include <boost/make_shared.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <cxxabi.h>

#include <array>
#include <future>
#include <mutex>
#include <new>
#include <system_error>
#include <typeinfo>
#include <utility>

#include <twat/mp/detail/exception/carrier.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/worker_died.hpp>

namespace twat::mp {
namespace {

/// The task indexes of the last exceptions that cannot carry theirs.
class index_memory
{
public:
    void add(const std::exception_ptr& error, std::size_t index) noexcept
    {
        entry forgotten{error, index}; // destroyed outside the lock: it may run the destructor of a user's type
        const std::lock_guard lock(mutex_);
        std::swap(forgotten, entries_[next_]);
        next_ = (next_ + 1) % entries_.size();
    }

    std::optional<std::size_t> find(const std::exception_ptr& error) noexcept
    {
        const std::lock_guard lock(mutex_);
        // From the newest: one object may have been thrown by several tasks.
        for (std::size_t i = 1; i <= entries_.size(); ++i) {
            const entry& candidate = entries_[(next_ + entries_.size() - i) % entries_.size()];
            if (candidate.error == error)
                return candidate.index;
        }
        return std::nullopt;
    }

private:
    struct entry
    {
        std::exception_ptr error;
        std::size_t index = 0;
    };

    std::mutex mutex_;
    std::array<entry, 1024> entries_;
    std::size_t next_ = 0;
};

index_memory& memory()
{
    // Never destroyed: tasks may end later than the program's statics.
    static index_memory& instance = *new index_memory;
    return instance;
}

/** What a `boost::exception_ptr` holds that throws a `std::exception_ptr`.

    Boost's own conversion is of no use: 1.81 wraps whatever is being handled instead of what it is given; and it binds a reference to the
    virtual base of a temporary, which g++ 14 destroys too early in builds without optimization ("pure virtual method called").
*/
class cause_clone final : public boost::exception_detail::clone_base
{
public:
    explicit cause_clone(std::exception_ptr cause) noexcept : cause_(std::move(cause)) {}

private:
    const clone_base* clone() const override { return new cause_clone(cause_); }
    void rethrow() const override { std::rethrow_exception(cause_); }

    std::exception_ptr cause_;
};

std::string indented(const char* title, const std::string& lines)
{
    std::string text = std::string(title) + "\n  ";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        text += lines[i];
        if (lines[i] == '\n' && i + 1 < lines.size())
            text += "  ";
    }
    if (text.back() != '\n')
        text += '\n';
    return text;
}

} // namespace

remote_error::remote_error(const std::string& type_name, const std::string& what)
    : std::runtime_error(what), type_name_(std::make_shared<const std::string>(type_name))
{}

std::string to_string(const errinfo_task_index& info) { return "Task index: " + std::to_string(info.value()) + '\n'; }

std::string to_string(const errinfo_worker_pid& info) { return "In process: " + std::to_string(info.value()) + '\n'; }

std::string to_string(const errinfo_type_name& info) { return "Thrown type: " + info.value() + '\n'; }

std::string to_string(const errinfo_input& info) { return "Input: " + info.value() + '\n'; }

std::string to_string(const errinfo_details& info) { return indented("In the worker:", info.value()); }

std::string to_string(const errinfo_life_phase& info)
{
    return std::string("The worker was: ") + to_string(info.value()) + '\n';
}

std::string to_string(const errinfo_resident_size& info)
{
    const bool small = info.value() < (std::size_t(10) << 20);
    return "Resident size: " + std::to_string(info.value() >> (small ? 10 : 20)) + (small ? " KiB\n" : " MiB\n");
}

std::string to_string(const errinfo_out_of_memory& info)
{
    return std::string("Out of memory: ") + to_string(info.value()) + '\n';
}

std::string to_string(const errinfo_stderr_tail& info)
{
    return indented("The end of its standard error:", info.value());
}

std::optional<std::size_t> task_index(const std::exception_ptr& error) noexcept
{
    if (!error)
        return std::nullopt;
    try {
        try {
            std::rethrow_exception(error);
        }
        catch (const boost::exception& e) {
            if (const std::size_t* index = boost::get_error_info<errinfo_task_index>(e))
                return *index;
            throw;
        }
    }
    catch (const worker_died& e) {
        if (e.has_task())
            return e.task_index();
    }
    catch (...) {
    }
    return memory().find(error);
}

boost::system::error_code code_of(const std::exception_ptr& error) noexcept
{
    if (!error)
        return {};
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return e.code();
    }
    catch (const std::system_error& e) {
        return e.code();
    }
    catch (const std::future_error& e) {
        return e.code();
    }
    catch (const std::bad_alloc&) {
        return make_error_code(boost::system::errc::not_enough_memory);
    }
    catch (...) {
        return make_error_code(errc::task_threw);
    }
}

std::string what_of(const std::exception_ptr& error)
{
    if (!error)
        return {};
    try {
        std::rethrow_exception(error);
    }
    catch (const std::exception& e) {
        return e.what();
    }
    catch (...) {
        const std::type_info* const type = abi::__cxa_current_exception_type();
        return type ? boost::core::demangle(type->name()) : "an exception of another language";
    }
}

namespace detail {

void attach(const boost::exception& to, const exception_facts& facts)
{
    if (facts.task_index)
        to << errinfo_task_index(*facts.task_index);
    if (facts.worker_pid)
        to << errinfo_worker_pid(*facts.worker_pid);
    if (!facts.type_name.empty())
        to << errinfo_type_name(facts.type_name);
    if (!facts.input.empty())
        to << errinfo_input(facts.input);
    if (!facts.details.empty())
        to << errinfo_details(facts.details);
    if (facts.phase)
        to << errinfo_life_phase(*facts.phase);
    if (facts.resident_size != 0)
        to << errinfo_resident_size(facts.resident_size);
    if (facts.out_of_memory)
        to << errinfo_out_of_memory(*facts.out_of_memory);
    if (!facts.stderr_tail.empty())
        to << errinfo_stderr_tail(facts.stderr_tail);
    if (!facts.stack.empty())
        to << errinfo_stacktrace(facts.stack);
    if (!facts.call.empty())
        to << errinfo_parcel(facts.call);
    if (facts.cause) {
        // Boost.Exception finds it too, and diagnostic_information shows it.
        to << boost::errinfo_nested_exception(boost::exception_ptr(boost::make_shared<const cause_clone>(facts.cause)));
    }
}

void remember_task_index(const std::exception_ptr& error, std::size_t index) noexcept { memory().add(error, index); }

} // namespace detail
} // namespace twat::mp
