// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/context_pool.hpp>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <mutex>
#include <optional>

namespace twat::mp::detail {
namespace {

/// Keeps the pool of one context.
class context_pool_service final : public asio::execution_context::service
{
public:
    static asio::execution_context::id id;

    explicit context_pool_service(asio::execution_context& context) : service(context) {}

    async_multi_pool& get(const asio::any_io_executor& executor)
    {
        std::lock_guard lock(mutex_);
        if (!pool_)
            pool_.emplace(executor);
        return *pool_;
    }

private:
    void shutdown() override { pool_.reset(); }

    std::mutex mutex_;
    std::optional<async_multi_pool> pool_;
};

asio::execution_context::id context_pool_service::id;

} // namespace

async_multi_pool& context_pool(const asio::any_io_executor& executor)
{
    auto& context = asio::query(executor, asio::execution::context);
    return asio::use_service<context_pool_service>(context).get(executor);
}

} // namespace twat::mp::detail
