// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_POOL_ACCESS_HPP
#define TWAT_MP_DETAIL_OPERATION_POOL_ACCESS_HPP

#include <memory>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>

namespace twat::mp::detail {

/// The state behind a pool object of any kind, for parts of the library that no pool knows.
struct pool_access
{
    template <class Pool>
    static std::shared_ptr<pool_core> core(const Pool& pool)
    {
        return untyped(pool.core());
    }

private:
    static std::shared_ptr<pool_core> untyped(const std::shared_ptr<pool_core>& core) { return core; }
    static std::shared_ptr<pool_core> untyped(const std::shared_ptr<blocking_core>& core) { return core->pool(); }
};

} // namespace twat::mp::detail

#endif
