// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_EXIT_RESULTS_HPP
#define TWAT_MP_DETAIL_OPERATION_EXIT_RESULTS_HPP

#include <concepts>
#include <deque>
#include <memory>
#include <mutex>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/task.hpp>

namespace twat::mp::detail {

/// What one finalizer returned: an object, or from another process its bytes.
struct exit_value
{
    std::shared_ptr<const void> object{};
    std::shared_ptr<const byte_buffer> bytes{};
};

/** What the finalizers of a pool returned, in the order of their ends: the last ones, for a pool that recycles its workers may live long. */
class TWAT_MP_DECL exit_values
{
public:
    void add(exit_value value);
    std::vector<exit_value> get() const;

private:
    mutable std::mutex mutex_;
    std::deque<exit_value> values_;
};

/// Throws `std::logic_error` unless the finalizer returns this.
TWAT_MP_DECL void check_exit_type(const task& finalizer, const std::type_info& wanted);
[[noreturn]] TWAT_MP_DECL void throw_exit_values_stay(const std::type_info& type, bool copied);

/// @param finalizer Of the pool. @param values What it returned.
template <class R>
std::vector<R> read_exit_results(const task& finalizer, const std::vector<exit_value>& values)
{
    static_assert(std::is_same_v<R, std::decay_t<R>> && !std::is_void_v<R>,
                  "twat::mp: exit_results<R>(): R is what the finalizer returns");
    check_exit_type(finalizer, typeid(R));
    std::vector<R> results;
    results.reserve(values.size());
    for (const exit_value& value : values) {
        if (value.object) {
            if constexpr (std::copy_constructible<R>)
                results.push_back(*static_cast<const R*>(value.object.get()));
            else
                throw_exit_values_stay(typeid(R), true);
        } else if constexpr (encodable<R>) {
            decoder in(value.bytes->bytes());
            results.push_back(in.read<R>());
        } else {
            throw_exit_values_stay(typeid(R), false);
        }
    }
    return results;
}

} // namespace twat::mp::detail

#endif
