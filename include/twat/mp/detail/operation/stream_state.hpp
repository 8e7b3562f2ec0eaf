// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_STREAM_STATE_HPP
#define TWAT_MP_DETAIL_OPERATION_STREAM_STATE_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/assert.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/detail/operation/stream_elements.hpp>

namespace twat::mp::detail {

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

    The reader fetches all that can be read at once and then takes one after the other without a lock.
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
        : core_(std::move(core)), executor_(core_->get_executor()), window_(window), elements_(order)
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
        add([&] { elements_.add(index, std::forward<Value>(value)); });
    }

    void keep_failure(std::uint64_t index, std::exception_ptr error)
    {
        add([&] { elements_.add_failure(index, std::move(error)); });
    }

    using run_node = typename stream_elements<R>::run_node;
    static run_node make_run(std::uint64_t first) { return stream_elements<R>::make_run(first); }

    /// @pre The run is not empty.
    void keep_run(run_node run) noexcept
    {
        add([&] { elements_.add(std::move(run)); });
    }

    /// No more elements come.
    void finish(std::exception_ptr error)
    {
        std::shared_ptr<stream_read> read, leaver;
        {
            std::lock_guard lock(mutex_);
            over_ = true;
            error_ = std::move(error);
            read = std::exchange(waiting_, nullptr);
            leaver = std::exchange(leaver_, nullptr);
        }
        if (read)
            read->post();
        if (leaver)
            leaver->post();
    }

    /// The context has gone: nobody is told.
    void drop() noexcept
    {
        // Destroyed after the lock is released: the read's handler may own the stream.
        std::shared_ptr<stream_read> read, leaver;
        {
            std::lock_guard lock(mutex_);
            over_ = true;
            read.swap(waiting_);
            leaver.swap(leaver_);
        }
        if (leaver)
            leaver->post(); // a thread, which needs no context to be told
    }

    std::size_t demand(std::uint64_t pulled) const noexcept
    {
        const std::uint64_t outstanding = pulled - taken_.load(std::memory_order_acquire);
        const std::size_t window = window_.load(std::memory_order_relaxed);
        return outstanding < window ? window - static_cast<std::size_t>(outstanding) : 0;
    }

    /// Whether the reader is gone. What the call refers to may be gone with it.
    bool dropped() const noexcept { return dropped_.load(std::memory_order_acquire); }

    void set_window(std::size_t window) noexcept { window_.store(window, std::memory_order_relaxed); }

    // The reader's side.

    /// Whether the next read may take what is there without a detour over its executor. Not always: others want to run there too.
    bool may_read_at_once() noexcept { return ++reads_ % most_at_once != 0; }

    /// Reads the next element into `value`, if it is a value that was fetched before. The way of nearly all.
    bool take_fetched_value(std::optional<R>& value)
    {
        if (fetched_.empty() || fetched_.begin()->second.error)
            return false;
        value.emplace(std::move(fetched_.begin()->second.values[read_].value));
        step_over();
        return true;
    }

    /// What can be read at once: an element, an error or the end. Nothing if the reader has to wait.
    /// @pre No other read is outstanding.
    std::optional<outcome> take()
    {
        if (fetched_.empty()) {
            std::lock_guard lock(mutex_);
            if (!fetch()) {
                if (!over_)
                    return std::nullopt;
                return outcome{std::exchange(error_, nullptr), std::nullopt};
            }
        }
        return take_fetched();
    }

    /// The same, for a reader that does not wait, and may not come back soon: the pool is told at once what was taken.
    std::optional<outcome> try_take()
    {
        auto taken = take();
        if (!taken && std::exchange(unfed_, 0) != 0)
            feed();
        return taken;
    }

    /// Whether nothing is left to read and nothing will come: neither an element nor an error.
    bool at_end() const
    {
        if (!fetched_.empty())
            return false;
        std::lock_guard lock(mutex_);
        return over_ && !error_ && !elements_.readable();
    }

    /// @pre No other read is outstanding.
    void start(std::shared_ptr<stream_read> read)
    {
        bool waits = false, hungry = false;
        if (fetched_.empty()) {
            std::lock_guard lock(mutex_);
            BOOST_ASSERT_MSG(!waiting_, "twat::mp: a stream is used by one consumer at a time");
            waits = !readable();
            if (waits) {
                waiting_ = read;
                hungry = std::exchange(unfed_, 0) != 0;
            }
        }
        if (!waits)
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

    /// Called on any executor. The read has waited long enough: it ends without an element, unless one has arrived.
    void release(const stream_read& read)
    {
        std::shared_ptr<stream_read> released;
        {
            std::lock_guard lock(mutex_);
            if (waiting_.get() == &read)
                released = std::exchange(waiting_, nullptr);
        }
        if (released)
            released->post();
    }

    /// What a read that runs on its executor gives its handler.
    outcome take(const stream_read& read)
    {
        {
            std::lock_guard lock(mutex_);
            if (read.cancelled)
                return {make_aborted(), std::nullopt};
            if (fetched_.empty() && !fetch())
                return {std::exchange(error_, nullptr), std::nullopt};
        }
        return take_fetched();
    }

    std::uint64_t index() const noexcept { return index_; }

    /// The reader is gone.
    void abandon() noexcept
    {
        dropped_.store(true, std::memory_order_release);
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

    /// After `abandon`: posts `leaver` when the operation is over.
    void await_end(std::shared_ptr<stream_read> leaver)
    {
        {
            std::lock_guard lock(mutex_);
            if (!over_) {
                leaver_ = std::move(leaver);
                return;
            }
        }
        leaver->post();
    }

    bool is_over() const
    {
        std::lock_guard lock(mutex_);
        return over_;
    }

private:
    template <class Add>
    void add(Add add_elements)
    {
        std::shared_ptr<stream_read> read;
        {
            std::lock_guard lock(mutex_);
            add_elements();
            if (waiting_ && readable())
                read.swap(waiting_);
        }
        if (read)
            read->post();
    }

    bool readable() const { return over_ || elements_.readable(); }

    /// Under the lock, in the reader. False if no element can be read.
    bool fetch() noexcept
    {
        elements_.fetch(fetched_);
        return !fetched_.empty();
    }

    /// In the reader. @pre There is a fetched element.
    outcome take_fetched()
    {
        stream_run<R>& front = fetched_.begin()->second;
        outcome taken{std::move(front.error), std::nullopt};
        if (!taken.error)
            taken.value.emplace(std::move(front.values[read_].value));
        step_over();
        return taken;
    }

    /// In the reader, which has taken the first fetched element.
    void step_over()
    {
        const stream_run<R>& front = fetched_.begin()->second;
        index_ = front.first + read_;
        if (++read_ >= front.values.size()) {
            fetched_.erase(fetched_.begin());
            read_ = 0;
        }
        taken_.store(taken_.load(std::memory_order_relaxed) + 1, std::memory_order_release); // nobody else writes it
        // Not for every element: the pool is told through its strand.
        if (++unfed_ >= std::max<std::size_t>(1, window_.load(std::memory_order_relaxed) / 4)) {
            unfed_ = 0;
            feed();
        }
    }

    void feed()
    {
        if (auto op = op_.lock())
            core_->feed(std::move(op));
    }

    const std::shared_ptr<pool_core> core_;
    const asio::any_io_executor executor_;
    std::weak_ptr<operation> op_;

    std::atomic<std::size_t> window_;
    std::atomic<std::uint64_t> taken_{0}; ///< Elements that were read.
    std::atomic<bool> dropped_{false};

    mutable std::mutex mutex_; // for these:
    stream_elements<R> elements_;
    std::shared_ptr<stream_read> waiting_, leaver_;
    std::exception_ptr error_;
    bool over_ = false;

    // The reader's:
    static constexpr unsigned most_at_once = 256;
    unsigned reads_ = 0;
    typename stream_elements<R>::runs fetched_;
    std::size_t read_ = 0; ///< Elements taken from the first fetched run.
    std::uint64_t index_ = 0;
    std::size_t unfed_ = 0; ///< Elements taken since the pool was last told.
};

} // namespace twat::mp::detail

#endif
