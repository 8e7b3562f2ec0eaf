// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/exit_results.hpp>

#include <boost/core/demangle.hpp>

#include <stdexcept>
#include <string>

namespace twat::mp::detail {
namespace {

constexpr std::size_t most_kept = 4096;

} // namespace

void exit_values::add(exit_value value)
{
    std::lock_guard lock(mutex_);
    if (values_.size() == most_kept)
        values_.pop_front();
    values_.push_back(std::move(value));
}

std::vector<exit_value> exit_values::get() const
{
    std::lock_guard lock(mutex_);
    return {values_.begin(), values_.end()};
}

void check_exit_type(const task& finalizer, const std::type_info& wanted)
{
    if (!finalizer)
        throw std::logic_error("twat::mp: exit_results of a pool that has no pool_options::finalizer");
    if (finalizer.result_type() != wanted)
        throw std::logic_error("twat::mp: exit_results<" + boost::core::demangle(wanted.name()) +
                               ">, but pool_options::finalizer returns " +
                               boost::core::demangle(finalizer.result_type().name()));
}

void throw_exit_values_stay(const std::type_info& type, bool copied)
{
    const std::string name = boost::core::demangle(type.name());
    throw std::logic_error("twat::mp: exit_results<" + name + ">: the type cannot be " +
                           (copied ? "copied; let the finalizer return a std::shared_ptr to it"
                                   : "encoded, so that no process can send it"));
}

} // namespace twat::mp::detail
