// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_POOL_SERVICE_HPP
#define TWAT_MP_SRC_POOL_POOL_SERVICE_HPP

#include <boost/asio/execution_context.hpp>

#include <mutex>
#include <unordered_set>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** Tells the pools of an execution context of its end, while what they hold of it can still be let go. */
class pool_service final : public asio::execution_context::service
{
public:
    class member
    {
    public:
        /// The context is being destroyed: nothing may touch it after this.
        virtual void context_gone() noexcept = 0;

    protected:
        ~member() = default;
    };

    static asio::execution_context::id id;

    explicit pool_service(asio::execution_context& context) : service(context) {}

    void add(member& m)
    {
        std::lock_guard lock(mutex_);
        members_.insert(&m);
    }

    void remove(member& m)
    {
        std::lock_guard lock(mutex_);
        members_.erase(&m);
    }

private:
    void shutdown() override
    {
        for (;;) {
            member* next = nullptr;
            {
                std::lock_guard lock(mutex_);
                if (members_.empty())
                    return;
                next = *members_.begin();
                members_.erase(members_.begin());
            }
            next->context_gone();
        }
    }

    std::mutex mutex_;
    std::unordered_set<member*> members_;
};

} // namespace twat::mp::detail

#endif
