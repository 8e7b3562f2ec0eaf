// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/backend_factory.hpp>

#include <utility>

#include <twat/mp/detail/operation/check_options.hpp>

namespace twat::mp::detail {

backend_factory::backend_factory(pool_options options) : options_(std::move(options)) { check_options(options_); }

backend_factory::~backend_factory() = default;

std::shared_ptr<pool_core> backend_factory::make_core(std::shared_ptr<const backend_factory>,
                                                      const asio::any_io_executor&) const
{
    return nullptr;
}

} // namespace twat::mp::detail
