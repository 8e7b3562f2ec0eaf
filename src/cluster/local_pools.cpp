// SPDX-License-Identifier: BSL-1.0
#include "cluster/local_pools.hpp"

#include <atomic>
#include <stdexcept>
#include <typeinfo>
#include <utility>

#include <twat/mp/cluster/options.hpp>
#include <twat/mp/workers.hpp>

namespace twat::mp::detail::cluster {
namespace {

/// Workers of a pool of its own setup, whose program may have gone home, end after this.
constexpr duration idle_timeout = std::chrono::seconds(60);

/// An initializer that came as bytes, and goes to workers as bytes.
class encoded_task final : public task_base
{
public:
    explicit encoded_task(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

    bool portable() const noexcept override { return true; }
    attached_bytes encode(bool) const override
    {
        attached_bytes copy;
        copy.bytes.append(bytes_.data(), bytes_.size());
        return copy;
    }
    bool is_coroutine() const noexcept override { return false; }
    const std::type_info* wanted_state() const noexcept override { return nullptr; }
    const std::type_info& result_type() const noexcept override { return typeid(void); }
    std::shared_ptr<const void> run_for_result() const override
    {
        run();
        return nullptr;
    }
    void run() const override { throw std::logic_error("this task is for worker processes"); }
    asio::awaitable<void> run_async() const override
    {
        run();
        co_return;
    }

private:
    const std::vector<std::byte> bytes_;
};

task make_task(const std::vector<std::byte>& bytes)
{
    return bytes.empty() ? task() : task(std::make_shared<const encoded_task>(bytes));
}

} // namespace

setup_message default_setup()
{
    const cluster_options defaults;
    setup_message setup;
    setup.child_concurrency = defaults.child_concurrency;
    setup.max_message_size = defaults.max_message_size;
    return setup;
}

std::uint64_t setup_id(const setup_message& setup)
{
    const std::vector<std::byte> bytes = pack(setup);
    if (bytes == pack(default_setup()))
        return 0;
    std::uint64_t hash = 14695981039346656037u; // FNV-1a
    for (const std::byte b : bytes)
        hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 1099511628211u;
    return hash == 0 ? 1 : hash;
}

local_pools::local_pools(asio::any_io_executor executor, pool_options options, std::size_t nodes)
    : executor_(std::move(executor)), options_(std::move(options)), nodes_(nodes)
{
    add(0, default_setup());
}

local_pools::~local_pools()
{
    for (const auto& [id, pool] : pools_)
        pool->release();
}

void local_pools::add(std::uint64_t setup, const setup_message& wanted)
{
    pool_options options = options_;
    options.nodes = nodes_;
    // Chunks are claimed only when a worker is free, so none ever waits here for long enough that one more worker would be started for it: where
    // workers come and go, some are missing. What most programs share keeps all of them.
    if (setup != 0 && options.min_nodes == all_nodes && options.idle_timeout == duration::zero()) {
        options.min_nodes = 0;
        options.idle_timeout = idle_timeout;
    }
    options.child_concurrency = static_cast<std::size_t>(wanted.child_concurrency);
    options.max_message_size = static_cast<std::size_t>(wanted.max_message_size);
    options.initializer = make_task(wanted.initializer);
    options.finalizer = make_task(wanted.finalizer);
    pools_[setup] = pool_core::create(process_workers::make(std::move(options)), executor_);
}

void local_pools::join(std::function<void()> done)
{
    const auto left = std::make_shared<std::atomic<std::size_t>>(pools_.size());
    for (const auto& [id, pool] : pools_)
        pool->join([left, done](std::exception_ptr) {
            if (--*left == 0)
                done();
        });
}

} // namespace twat::mp::detail::cluster
