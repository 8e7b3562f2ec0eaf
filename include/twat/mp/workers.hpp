// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WORKERS_HPP
#define TWAT_MP_WORKERS_HPP

#include <concepts>
#include <memory>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>

namespace twat::mp {
namespace detail {

class backend_factory;

} // namespace detail

/** Tag and traits: the workers of a pool are child processes. See `worker_traits`. */
struct process_workers
{
    /// What the constructors of the pool take.
    using options = pool_options;
    /// Calls travel as bytes: functions must be portable, arguments and results encodable.
    static constexpr bool encodes = true;
    /// Checks the options. @throws std::invalid_argument that names the member, if one is bad.
    TWAT_MP_DECL static std::shared_ptr<const detail::backend_factory> make(pool_options options);
};

/** Tag and traits: the workers of a pool are threads of this program. See `worker_traits`. */
struct thread_workers
{
    /// What the constructors of the pool take.
    using options = pool_options;
    /// Calls run in place: any callable, any values.
    static constexpr bool encodes = false;
    /// Checks the options. @throws std::invalid_argument that names the member, if one is bad.
    TWAT_MP_DECL static std::shared_ptr<const detail::backend_factory> make(pool_options options);
};

/** What the `Workers` of `basic_async_pool` and `multi_pool` say about themselves: which options their pools take (`options`), whether calls
    are sent as bytes or run in place (`encodes`), and how they are made (`make`).

    `process_workers` and `thread_workers` are such types. Another library that is built from this source tree can add one: see "How to write a
    backend" in doc/internals.md.
*/
template <class Workers>
concept worker_traits = requires(typename Workers::options options)
{
    {
        Workers::encodes
        } -> std::convertible_to<bool>;
    {
        Workers::make(options)
        } -> std::same_as<std::shared_ptr<const detail::backend_factory>>;
};

} // namespace twat::mp

#endif
