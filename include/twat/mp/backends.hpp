// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BACKENDS_HPP
#define TWAT_MP_BACKENDS_HPP

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp {

namespace detail {

class backend_factory;

} // namespace detail

/// How a backend of a given name gets its workers, see `register_backend`.
using backend_maker = std::shared_ptr<const detail::backend_factory> (*)(pool_options options);

/** The names that `any_pool` and `any_async_pool` know, sorted: `inline`, `processes`, `threads`, and those of libraries that are linked.

    May be called from any thread.
*/
TWAT_MP_DECL std::vector<std::string> backends();

/** What `any_pool` takes when it is given no name: the value of the environment variable `TWAT_MP_BACKEND`; if that is not set or empty, `processes`.

    A name in the program's code goes before it. `default_pool()`, and so the function wrappers, heed the value `inline` and are pools of
    processes otherwise. May be called from any thread.
*/
TWAT_MP_DECL std::string default_backend();

/** Makes a backend known to `any_pool`, for a library that brings one. May be called from any thread, also before `main`.

    @param maker Makes the workers of one pool from its options, and throws `std::invalid_argument` that names the member if one is bad.
    @return Whether the name was free; if not, nothing is changed.
*/
TWAT_MP_DECL bool register_backend(std::string name, backend_maker maker);

/// What a pool is made of whose backend is chosen by name; see `any_pool`.
struct any_options
{
    std::string backend{};  ///< One of `backends()`; empty: `default_backend()`.
    pool_options options{}; ///< As for pools of that backend.
};

/** Tag and traits: the workers of a pool are of a kind that is chosen when the program runs. See `worker_traits`. */
struct any_workers
{
    /// What the constructors of the pool take.
    using options = any_options;
    /// Functions must be portable, arguments and results encodable, as some backends send them. Those that need not do not.
    static constexpr bool encodes = true;
    /// @throws std::invalid_argument if the name is unknown (the text lists the known ones) or an option is invalid (it names the member).
    TWAT_MP_DECL static std::shared_ptr<const detail::backend_factory> make(any_options options);
};

} // namespace twat::mp

#endif
