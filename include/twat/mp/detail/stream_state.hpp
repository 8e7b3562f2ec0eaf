// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_STREAM_STATE_HPP
#define TWAT_MP_DETAIL_STREAM_STATE_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/aborted.hpp>
#include <twat/mp/detail/operation.hpp>
#include <twat/mp/detail/pool_core.hpp>

namespace twat::mp::detail {

/// The order of a stream's elements.
enum class stream_order { input, completion };

/** A read of a stream that has not completed. */
class stream_read
{
public:
    stream_read() = default;
    stream_read(const stream_read&) = delete;
    stream_read& operator=(const stream_read&) = delete;
    virtual ~stream_read() = default;

    /// Runs the read on its handler's executor, later. There it takes its element.
    virtual void post() = 0;

    bool cancelled = false; ///< Guarded by the stream's mutex.
};

/** What the reader of a stream and its operation share: the elements that wait to be read.

    The operation adds elements on the pool's strand, the reader takes them on its own executor. An element is taken by the read
    only when that runs on its executor, so a read that is cancelled while it is on its way leaves the element here.
*/
template <class R>
class stream_state : public std::enable_shared_from_this<stream_state<R>>
{
public:
    using value_type = R;

    /// What a read tells its handler.
    struct outcome
    {
        std::exception_ptr error{};
        std::optional<R> value{};
    };

    stream_state(std::shared_ptr<pool_core> core, stream_order order, std::size_t window)
        : core_(std::move(core)), executor_(core_->get_executor()), order_(order), window_(window)
    {}

    const asio::any_io_executor& get_executor() const noexcept { return executor_; }

    /// The operation that fills the stream, which the pool owns.
    void attach(const std::shared_ptr<operation>& op) { op_ = op; }
    /// Null when it is over.
    std::shared_ptr<operation> source() const noexcept { return op_.lock(); }

    // The operation's side.

    template <class Value>
    void keep(std::uint64_t index, Value&& value)
    {
        add(index, [&](element& place) { place.value.emplace(std::forward<Value>(value)); });
    }

    void keep_failure(std::uint64_t index, std::exception_ptr error)
    {
        add(index, [&](element& place) { place.error = std::move(error); });
    }

    /// No more elements come.
    void finish(std::exception_ptr error)
    {
        std::shared_ptr<stream_read> read;
        {
            std::lock_guard lock(mutex_);
            over_ = true;
            error_ = std::move(error);
            read = std::exchange(waiting_, nullptr);
        }
        if (read)
            read->post();
    }

    /// The context has gone: nobody is told.
    void drop() noexcept
    {
        // Destroyed after the lock is released: the read's handler may own the stream.
        std::shared_ptr<stream_read> read;
        std::lock_guard lock(mutex_);
        over_ = true;
        read.swap(waiting_);
    }

    std::size_t demand(std::uint64_t pulled) const
    {
        std::lock_guard lock(mutex_);
        const std::uint64_t outstanding = pulled - taken_;
        return outstanding < window_ ? window_ - static_cast<std::size_t>(outstanding) : 0;
    }

    void set_window(std::size_t window)
    {
        std::lock_guard lock(mutex_);
        window_ = window;
    }

    // The reader's side.

    /// @pre No other read is outstanding.
    void start(std::shared_ptr<stream_read> read)
    {
        bool hungry = false;
        {
            std::lock_guard lock(mutex_);
            BOOST_ASSERT_MSG(!waiting_, "twat::mp: a stream is used by one consumer at a time");
            if (!readable()) {
                waiting_ = std::move(read);
                hungry = std::exchange(unfed_, 0) != 0;
            }
        }
        if (read)
            read->post();
        else if (hungry)
            feed();
    }

    /// Called on any executor. The read ends, without an element, unless it has run already.
    void cancel(stream_read& read)
    {
        std::shared_ptr<stream_read> cancelled;
        {
            std::lock_guard lock(mutex_);
            read.cancelled = true;
            if (waiting_.get() == &read)
                cancelled = std::exchange(waiting_, nullptr);
        }
        if (cancelled)
            cancelled->post();
    }

    /// What a read that runs on its executor gives its handler.
    outcome take(const stream_read& read)
    {
        outcome taken;
        bool hungry = false;
        {
            std::lock_guard lock(mutex_);
            if (read.cancelled) {
                taken.error = make_aborted();
            } else if (has_element()) {
                element& front = elements_.front();
                taken.error = std::move(front.error);
                if (front.value) // not assigned: R needs only to be move-constructible
                    taken.value.emplace(std::move(*front.value));
                index_ = front.index;
                elements_.pop_front();
                ++taken_;
                // Not for every element: the pool is told through its strand.
                hungry = ++unfed_ >= std::max<std::size_t>(1, window_ / 4);
                if (hungry)
                    unfed_ = 0;
            } else {
                taken.error = std::exchange(error_, nullptr);
            }
        }
        if (hungry)
            feed();
        return taken;
    }

    std::uint64_t index() const
    {
        std::lock_guard lock(mutex_);
        return index_;
    }

    /// The reader is gone.
    void abandon() noexcept
    {
        if (auto op = op_.lock())
            core_->abandon(std::move(op));
        std::shared_ptr<stream_read> read;
        {
            std::lock_guard lock(mutex_);
            read = std::exchange(waiting_, nullptr);
            if (read)
                read->cancelled = true;
        }
        if (read)
            read->post();
    }

private:
    struct element
    {
        std::uint64_t index = 0;
        bool filled = false;
        std::exception_ptr error{};
        std::optional<R> value{};
    };

    /// In input order, elements that are missing at the end are never read over.
    bool has_element() const { return !elements_.empty() && elements_.front().filled; }
    bool readable() const { return over_ || has_element(); }

    template <class Fill>
    void add(std::uint64_t index, Fill fill)
    {
        std::shared_ptr<stream_read> read;
        {
            std::lock_guard lock(mutex_);
            std::size_t position = elements_.size();
            if (order_ == stream_order::input)
                position = static_cast<std::size_t>(index - taken_);
            if (position >= elements_.size())
                elements_.resize(position + 1);
            element& place = elements_[position];
            fill(place);
            place.index = index;
            place.filled = true;
            if (waiting_ && readable())
                read = std::exchange(waiting_, nullptr);
        }
        if (read)
            read->post();
    }

    void feed()
    {
        if (auto op = op_.lock())
            core_->feed(std::move(op));
    }

    const std::shared_ptr<pool_core> core_;
    const asio::any_io_executor executor_;
    const stream_order order_;
    std::weak_ptr<operation> op_;

    mutable std::mutex mutex_;
    std::deque<element> elements_;
    std::shared_ptr<stream_read> waiting_;
    std::exception_ptr error_;
    std::size_t window_;
    std::uint64_t taken_ = 0;
    std::uint64_t index_ = 0;
    std::size_t unfed_ = 0; ///< Elements taken since the pool was last told.
    bool over_ = false;
};

} // namespace twat::mp::detail

#endif
