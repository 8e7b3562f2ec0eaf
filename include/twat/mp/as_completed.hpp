// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_AS_COMPLETED_HPP
#define TWAT_MP_AS_COMPLETED_HPP

#include <cstddef>
#include <future>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/future.hpp>

#include <twat/mp/detail/completion/completion_signal.hpp>
#include <twat/mp/detail/operation/range_holder.hpp>

namespace twat::mp {

/** Futures in the order in which they become ready; what `as_completed` returns. A move-only input range, and a view.

    `begin` and `++` wait for the next one.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.
*/
template <class Futures>
class completed_futures : public std::ranges::view_base
{
    using held = detail::held_range_t<Futures>;
    using reference = std::ranges::range_reference_t<held>;

public:
    /// An input iterator over the futures that are ready.
    class iterator
    {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = std::remove_cvref_t<reference>;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        iterator(iterator&&) noexcept = default;
        iterator& operator=(iterator&&) noexcept = default;

        /// The future, which is ready.
        reference operator*() const
        {
            return std::ranges::begin(range_->futures_.get())[static_cast<difference_type>(range_->current_)];
        }
        /// Its position in the input.
        std::size_t index() const noexcept { return range_->current_; }
        iterator& operator++()
        {
            range_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }

        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return it.at_end(); }

    private:
        friend class completed_futures;
        bool at_end() const noexcept { return range_->left_ == 0; }
        explicit iterator(completed_futures* range) noexcept : range_(range) {}

        completed_futures* range_ = nullptr;
    };

    /// Waits for the first one that is left.
    iterator begin()
    {
        if (left_ != 0)
            current_ = queue_->pop();
        return iterator(this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// @private
    explicit completed_futures(std::in_place_t, Futures&& futures)
        : futures_(std::in_place, std::forward<Futures>(futures)), queue_(std::make_shared<detail::completion_queue>())
    {
        for (auto& future : futures_.get()) {
            // What is deferred gets ready when it is waited for, and only then.
            if (future.valid() && future.signal_)
                future.signal_->subscribe(queue_, left_);
            else
                queue_->push(left_);
            ++left_;
        }
    }

private:
    void advance()
    {
        if (--left_ != 0)
            current_ = queue_->pop();
    }

    detail::range_holder<Futures> futures_;
    std::shared_ptr<detail::completion_queue> queue_;
    std::size_t left_ = 0;
    std::size_t current_ = 0;
};

/** The futures of several `submit` or `amap` calls, each as soon as it is ready: `for (auto& f : mp::as_completed(futures)) use(f.get());`

    What the futures came from may be different pools. In a task of the pool itself, where futures are deferred, it gives them in the order
    of the input. An exception in one of them is thrown by its `get`.

    @par Object Lifetimes
    An lvalue container is referred to and must live as long as the range that is returned; rvalues are moved in.

    @param futures A random-access range of `mp::future<T>`.
*/
template <class Futures>
auto as_completed(Futures&& futures)
{
    static_assert(std::ranges::random_access_range<detail::held_range_t<Futures>>,
                  "twat::mp: as_completed takes a random-access range of mp::future, a std::vector, say");
    static_assert(
        requires(std::ranges::range_reference_t<detail::held_range_t<Futures>> f) { f.cancel(); },
        "twat::mp: as_completed takes what submit and amap return, mp::future; a std::future cannot tell when it is "
        "ready");
    return completed_futures<Futures>(std::in_place, std::forward<Futures>(futures));
}

} // namespace twat::mp

#endif
