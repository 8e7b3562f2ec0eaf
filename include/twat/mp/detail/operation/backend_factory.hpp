// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BACKEND_FACTORY_HPP
#define TWAT_MP_DETAIL_OPERATION_BACKEND_FACTORY_HPP

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <exception>
#include <memory>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

class pool_core;
class worker_set;
struct backend_site; // both in src/backend

/// Whether options say how many workers a pool has, so that it can be made of a number alone.
template <class Options>
concept has_nodes = requires(Options options, std::size_t nodes)
{
    options.nodes = nodes;
};

/** How a pool gets its workers, and what it has to know before there are any. `Workers::make` makes it from the options that the pool is given.

    Immutable, and shared: `restart` makes another pool of it. Every member may be called from any thread.
*/
class TWAT_MP_DECL backend_factory
{
public:
    backend_factory(const backend_factory&) = delete;
    backend_factory& operator=(const backend_factory&) = delete;
    virtual ~backend_factory();

    /// What the pool itself goes by: queue, limits, grace times, callbacks. A backend with options of its own fills in what it has of them.
    const pool_options& options() const noexcept { return options_; }

    /// The nodes that `wanted` asks for, never 0. Throws `std::invalid_argument` that begins with `name` if there cannot be so many.
    virtual std::size_t count_nodes(std::size_t wanted, const char* name) const = 0;

    /// Makes the workers of one pool, on its strand; starts none.
    virtual std::unique_ptr<worker_set> make(const backend_site& site) const = 0;

    /// Whether calls are sent as bytes; as the traits say.
    virtual bool encodes() const noexcept { return true; }
    /// Whether there are no workers: calls run where they are made, or where the pool works.
    virtual bool is_inline() const noexcept { return false; }
    /// Where `is_inline()`: the state of an asynchronous pool, which has no workers. @param self This.
    virtual std::shared_ptr<pool_core> make_core(std::shared_ptr<const backend_factory> self,
                                                 const asio::any_io_executor& executor) const;

    /// At each use of a pool. May end a process that must not have workers at all.
    virtual void check_use() const {}
    /// Whether workers may be started before anybody asks for anything: blocking pools that are globals do.
    virtual bool may_prepare() const { return true; }
    /// Why no worker can ever be started in this process; null: they can.
    virtual std::exception_ptr why_impossible() const { return nullptr; }

protected:
    /// Throws `std::invalid_argument` that names the member, if an option is bad that has a meaning for every pool.
    explicit backend_factory(pool_options options);

private:
    const pool_options options_;
};

} // namespace twat::mp::detail

#endif
