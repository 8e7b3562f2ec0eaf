// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/backend_factory.hpp>

#include <utility>

#include <twat/mp/detail/operation/check_options.hpp>

namespace twat::mp::detail {

backend_factory::backend_factory(pool_options options) : options_(std::move(options))
{
    check_options(options_);
}

backend_factory::~backend_factory() = default;

} // namespace twat::mp::detail
