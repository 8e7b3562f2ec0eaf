// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/blocking_core.hpp>

#include <chrono>
#include <utility>

#include "inline/inline_pool_core.hpp"
#include "pool/check_options.hpp"
#include "pool/dump.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

using clock = std::chrono::steady_clock;

/// What `inline_pool` does: everything in the calling thread, which has nothing to wait for.
class inline_core final : public blocking_core
{
public:
    inline_core(std::shared_ptr<const backend_factory> factory, bool encodes)
        : pool_(make_inline_pool_core(std::move(factory), encodes))
    {}

    const std::shared_ptr<pool_core>& pool() const noexcept override { return pool_; }
    void check_may_wait() const override {}
    void check_usable() const override {}
    void submit(const std::shared_ptr<operation>& op) override { pool_->submit(op); }

    void wait(blocking_wait& until, const std::function<void()>& begin, duration limit) override
    {
        begin();
        if (!until.finished())
            until.wait_until(saturating_add(clock::now(), limit));
    }

    void start() override
    {
        std::exception_ptr failed;
        pool_->start([&](std::exception_ptr error) { failed = std::move(error); });
        if (failed)
            std::rethrow_exception(failed);
    }

    void join() override
    {
        pool_->join([](std::exception_ptr) {});
    }

    drain_report drain(duration limit) override
    {
        drain_report report;
        pool_->drain(limit, [&](std::exception_ptr, drain_report told) { report = told; });
        return report;
    }

    pool_dump dump() override
    {
        pool_dump found;
        pool_->dump([&](std::exception_ptr, pool_dump told) { found = std::move(told); });
        look_up(found);
        return found;
    }

    void end(bool terminate) noexcept override
    {
        if (terminate)
            pool_->terminate();
        try {
            join();
        }
        catch (...) {
            // Nobody is there to be told.
        }
        pool_->release();
    }

private:
    const std::shared_ptr<pool_core> pool_;
};

} // namespace

std::shared_ptr<blocking_core> blocking_core::create_inline(std::shared_ptr<const backend_factory> factory,
                                                            bool encodes)
{
    count_nodes(*factory);
    return std::make_shared<inline_core>(std::move(factory), encodes);
}

} // namespace twat::mp::detail
