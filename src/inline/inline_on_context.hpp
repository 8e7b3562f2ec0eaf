// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_INLINE_INLINE_ON_CONTEXT_HPP
#define TWAT_MP_SRC_INLINE_INLINE_ON_CONTEXT_HPP

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <twat/mp/detail/operation/pool_core.hpp>

#include "pool/fork_guard.hpp"
#include "pool/pool_service.hpp"

namespace twat::mp::detail {

/** An inline pool for a loop: what it does it does on an executor, one thing after the other, and never in the call that asks for it. */
class inline_on_context final : public pool_core,
                                public pool_service::member,
                                public std::enable_shared_from_this<inline_on_context>
{
public:
    static std::shared_ptr<pool_core> create(std::shared_ptr<const backend_factory> factory,
                                             const asio::any_io_executor& executor);

    inline_on_context(std::shared_ptr<pool_core> inner, const asio::any_io_executor& executor);
    ~inline_on_context() override;

    asio::any_io_executor get_executor() const noexcept override { return *executor_; }
    const std::shared_ptr<const backend_factory>& factory() const noexcept override { return inner_->factory(); }
    std::size_t nodes() const noexcept override { return 1; }
    void resize(std::size_t) override {}
    pool_stats stats() const override { return inner_->stats(); }
    std::vector<exit_value> exit_values() const override { return inner_->exit_values(); }

    void submit(std::shared_ptr<operation> op) override;
    void cancel(std::shared_ptr<operation> op, asio::cancellation_type type) override
    {
        inner_->cancel(std::move(op), type);
    }
    void feed(std::shared_ptr<operation> op) override;
    void abandon(std::shared_ptr<operation> op) override;
    void prepare() override {}
    void start(start_handler handler) override;
    void join(start_handler handler) override;
    void drain(duration limit, drain_handler handler) override;
    void dump(dump_handler handler) override;
    void observe(std::weak_ptr<pool_observer> observer) override { inner_->observe(std::move(observer)); }
    void close() override { inner_->close(); }
    void terminate() override { inner_->terminate(); }
    void release() noexcept override;
    bool runs_task_here() const noexcept override { return false; }
    bool may_await_tasks_here(const operation&) const noexcept override { return false; }
    void help(const std::shared_ptr<operation>&, const std::function<bool()>&) override {}
    void wake_helpers(const std::shared_ptr<operation>&) noexcept override {}

private:
    void context_gone() noexcept override;
    void check_process() const;
    template <class F>
    void enter(F f);

    const std::shared_ptr<pool_core> inner_;
    const fork_guard fork_guard_;
    std::optional<asio::any_io_executor> executor_; ///< Gone with its context.
    std::atomic<bool> released_{false}, gone_{false};
    std::mutex turn_;
};

} // namespace twat::mp::detail

#endif
