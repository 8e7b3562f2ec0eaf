// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_INLINE_INLINE_FACTORY_HPP
#define TWAT_MP_SRC_INLINE_INLINE_FACTORY_HPP

#include <memory>

#include <twat/mp/detail/operation/backend_factory.hpp>

namespace twat::mp::detail {

/// The backend `inline` of `any_pool`.
std::shared_ptr<const backend_factory> make_inline_factory(pool_options options);

} // namespace twat::mp::detail

#endif
