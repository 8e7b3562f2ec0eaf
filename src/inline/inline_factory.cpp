// SPDX-License-Identifier: BSL-1.0
#include "inline/inline_factory.hpp"

#include <stdexcept>
#include <utility>

#include <twat/mp/detail/operation/check_options.hpp>

#include "backend/worker_set.hpp"
#include "inline/inline_on_context.hpp"

namespace twat::mp::detail {
namespace {

class inline_factory final : public backend_factory
{
public:
    explicit inline_factory(pool_options given) : backend_factory(with_one_node(std::move(given)))
    {
        if (!options().executable.empty())
            refuse_option("pool_options::executable", "is set, but tasks run in this program");
    }

    bool encodes() const noexcept override { return false; }
    bool is_inline() const noexcept override { return true; }
    std::size_t count_nodes(std::size_t, const char*) const override { return 1; }
    std::unique_ptr<worker_set> make(const backend_site&) const override
    {
        throw std::logic_error("an inline pool has no workers");
    }

    std::shared_ptr<pool_core> make_core(std::shared_ptr<const backend_factory> self,
                                         const asio::any_io_executor& executor) const override
    {
        return inline_on_context::create(std::move(self), executor);
    }

private:
    static pool_options with_one_node(pool_options options)
    {
        options.nodes = 1;
        options.min_nodes = all_nodes;
        return options;
    }
};

} // namespace

std::shared_ptr<const backend_factory> make_inline_factory(pool_options options)
{
    return std::make_shared<const inline_factory>(std::move(options));
}

} // namespace twat::mp::detail
