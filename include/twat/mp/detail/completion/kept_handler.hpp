// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_KEPT_HANDLER_HPP
#define TWAT_MP_DETAIL_COMPLETION_KEPT_HANDLER_HPP

#include <boost/asio/associated_allocator.hpp>

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/completion/pending_handler.hpp>

namespace twat::mp::detail {

template <class Handler>
inline constexpr bool has_default_allocator =
    std::is_same_v<asio::associated_allocator_t<Handler>, std::allocator<void>>;

/** Keeps a pending handler until its call, in memory from the handler's associated allocator.

    The memory is given back before the handler is called or destroyed, because what it comes from may belong to what the handler ends. That is
    why the rest of an operation, which workers share, does not lie there.

    This one is for handlers without an allocator of their own: it keeps them in place.
*/
template <class Handler, class Executor, bool InPlace = has_default_allocator<Handler>>
class kept_handler
{
    using pending = pending_handler<Handler, Executor>;

public:
    using executor_type = typename pending::executor_type;
    using allocator_type = typename pending::allocator_type;

    kept_handler(Handler handler, const Executor& pool_executor) : pending_(std::move(handler), pool_executor) {}

    executor_type get_executor() const noexcept { return pending_.get_executor(); }
    allocator_type get_allocator() const noexcept { return pending_.get_allocator(); }

    /// See `pending_handler`.
    void leave_pool() noexcept { pending_.leave_pool(); }

    template <class... Values>
    void call(Values&&... values)
    {
        pending_.call(std::forward<Values>(values)...);
    }

private:
    pending pending_;
};

template <class Handler, class Executor>
class kept_handler<Handler, Executor, false>
{
    using pending = pending_handler<Handler, Executor>;
    using allocator =
        typename std::allocator_traits<asio::associated_allocator_t<Handler>>::template rebind_alloc<pending>;
    using traits = std::allocator_traits<allocator>;

public:
    using executor_type = typename pending::executor_type;
    using allocator_type = typename pending::allocator_type;

    kept_handler(Handler handler, const Executor& pool_executor)
    {
        allocator memory(asio::get_associated_allocator(handler));
        auto* const place = traits::allocate(memory, 1);
        try {
            pending_ = ::new (static_cast<void*>(std::to_address(place))) pending(std::move(handler), pool_executor);
        }
        catch (...) {
            traits::deallocate(memory, place, 1);
            throw;
        }
    }
    kept_handler(kept_handler&& other) noexcept : pending_(std::exchange(other.pending_, nullptr)) {}
    kept_handler& operator=(kept_handler&&) = delete;
    ~kept_handler()
    {
        if (pending_)
            take();
    }

    executor_type get_executor() const noexcept { return pending_->get_executor(); }
    allocator_type get_allocator() const noexcept { return pending_->get_allocator(); }

    void leave_pool() noexcept { pending_->leave_pool(); }

    template <class... Values>
    void call(Values&&... values)
    {
        take().call(std::forward<Values>(values)...);
    }

private:
    // Gives the memory back.
    pending take()
    {
        pending* const place = std::exchange(pending_, nullptr);
        allocator memory(place->get_allocator());
        pending taken(std::move(*place));
        place->~pending();
        traits::deallocate(memory, std::pointer_traits<typename traits::pointer>::pointer_to(*place), 1);
        return taken;
    }

    pending* pending_ = nullptr;
};

} // namespace twat::mp::detail

#endif
