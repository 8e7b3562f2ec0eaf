// SPDX-License-Identifier: BSL-1.0
#include "inline/inline_on_context.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <stdexcept>
#include <utility>

#include <twat/mp/detail/exception/aborted.hpp>

#include "inline/inline_pool_core.hpp"

namespace twat::mp::detail {

std::shared_ptr<pool_core> inline_on_context::create(std::shared_ptr<const backend_factory> factory,
                                                     const asio::any_io_executor& executor)
{
    auto made = std::make_shared<inline_on_context>(make_inline_pool_core(std::move(factory), false), executor);
    asio::use_service<pool_service>(asio::query(executor, asio::execution::context)).add(*made);
    return made;
}

inline_on_context::inline_on_context(std::shared_ptr<pool_core> inner, const asio::any_io_executor& executor)
    : inner_(std::move(inner)), executor_(executor)
{}

inline_on_context::~inline_on_context()
{
    if (!gone_)
        asio::use_service<pool_service>(asio::query(*executor_, asio::execution::context)).remove(*this);
}

void inline_on_context::context_gone() noexcept
{
    const auto self = weak_from_this().lock();
    gone_ = true;
    inner_->release();
    executor_.reset();
}

void inline_on_context::check_process() const
{
    if (fork_guard_.forked())
        throw std::logic_error("this pool was made before fork(): make a pool of its own in the child");
    if (gone_)
        throw std::logic_error("the execution context of this pool has been destroyed");
}

template <class F>
void inline_on_context::enter(F f)
{
    asio::post(*executor_, [self = shared_from_this(), f = std::move(f)]() mutable {
        std::lock_guard lock(self->turn_);
        f(*self);
    });
}

void inline_on_context::submit(std::shared_ptr<operation> op)
{
    check_process();
    enter([op = std::move(op)](inline_on_context& self) mutable {
        if (self.released_)
            return op->complete(make_aborted());
        self.inner_->submit(std::move(op));
    });
}

void inline_on_context::feed(std::shared_ptr<operation> op)
{
    if (!gone_)
        enter([op = std::move(op)](inline_on_context& self) mutable { self.inner_->feed(std::move(op)); });
}

void inline_on_context::abandon(std::shared_ptr<operation> op)
{
    if (!gone_ && !fork_guard_.forked())
        enter([op = std::move(op)](inline_on_context& self) mutable { self.inner_->abandon(std::move(op)); });
}

void inline_on_context::start(start_handler handler)
{
    check_process();
    enter([handler = std::move(handler)](inline_on_context& self) mutable { self.inner_->start(std::move(handler)); });
}

void inline_on_context::join(start_handler handler)
{
    check_process();
    inner_->close();
    enter([handler = std::move(handler)](inline_on_context& self) mutable { self.inner_->join(std::move(handler)); });
}

void inline_on_context::drain(duration limit, drain_handler handler)
{
    check_process();
    inner_->close();
    enter([handler = std::move(handler), limit](inline_on_context& self) mutable {
        self.inner_->drain(limit, std::move(handler));
    });
}

void inline_on_context::dump(dump_handler handler)
{
    check_process();
    // Without its turn, which a task has for as long as it runs.
    asio::post(*executor_, [self = shared_from_this(), handler = std::move(handler)]() mutable {
        self->inner_->dump(std::move(handler));
    });
}

void inline_on_context::release() noexcept
{
    released_ = true;
    inner_->release();
}

} // namespace twat::mp::detail
