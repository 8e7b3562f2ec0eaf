// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_CHILD_REGISTRY_HPP
#define TWAT_MP_SRC_PROCESS_CHILD_REGISTRY_HPP

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "process/warden.hpp"

namespace twat::mp::detail {

/** The children of one pool, for whoever has to end them from another thread than the strand's. */
class child_registry
{
public:
    /// Adds a child; kills it instead if `halt` was called.
    void add(std::shared_ptr<child> added)
    {
        {
            std::lock_guard lock(mutex_);
            if (!halted_) {
                children_.push_back(std::move(added));
                return;
            }
        }
        added->forget();
        added->kill();
    }

    void remove(const child* gone) noexcept
    {
        std::lock_guard lock(mutex_);
        std::erase_if(children_, [gone](const auto& c) { return c.get() == gone; });
    }

    bool halted() const noexcept
    {
        std::lock_guard lock(mutex_);
        return halted_;
    }

    /// Kills all, now and later, and waits for none.
    void halt() noexcept
    {
        std::lock_guard lock(mutex_);
        halted_ = true;
        for (const auto& c : children_) {
            c->forget();
            c->kill();
        }
        children_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<child>> children_;
    bool halted_ = false;
};

} // namespace twat::mp::detail

#endif
