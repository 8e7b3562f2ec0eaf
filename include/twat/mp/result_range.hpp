// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_RESULT_RANGE_HPP
#define TWAT_MP_RESULT_RANGE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/blocking_read.hpp>
#include <twat/mp/detail/operation/stream_state.hpp>

namespace twat::mp {

/** The results of a blocking `imap` or `uimap`, read one after the other. A move-only input range, and a view.

    `begin` and `++` wait for the next result, and throw where a task failed. After that `begin` goes on behind the failed element.
    What ended the range early (a range of inputs that threw, `terminate`, a deadline) is thrown once, after the last element.
    The tasks run ahead of the reader by the window of the call (`call_options::window`). Destroying the range before its end cancels the
    call as by a request of type `terminal`, capped by `call_options::cancel_limit`: tasks that have not begun are dropped, those that run are
    asked to stop, and a process that is still in a plain one after `pool_options::cancel_grace` is killed and replaced. In a thread pool it
    waits for the tasks that run, since they use what the program has; in a process pool it does not.

    It shares the pool's state: `for (auto x : pool.with({...}).imap(f, xs))` is safe. What the call refers to (an lvalue container, what `f`
    captures) must live as long. Only a range that is destroyed where nobody can wait, in a callback of the pool, in one of its own tasks or in
    a coroutine task, leaves tasks running that may use it until the pool's `join`. Elements are given as rvalues, so `auto x` moves.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe; one consumer at a time.

    @par Example
    @code
    for (int square : pool.imap(square_of, std::views::iota(0, 10)))
        std::cout << square << '\n';
    @endcode

    @tparam R The result of a task; `std::monostate` for `void` tasks.
*/
template <class R>
class result_range : public std::ranges::view_base
{
public:
    using value_type = R;

    /// An input iterator: `++` waits for the next result, and throws what its task threw.
    class iterator
    {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = R;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        iterator(iterator&&) noexcept = default;
        iterator& operator=(iterator&&) noexcept = default;

        R&& operator*() const noexcept { return std::move(*reader_->value()); }
        iterator& operator++()
        {
            reader_->read();
            return *this;
        }
        void operator++(int) { ++*this; }

        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return !it.reader_->value(); }

    private:
        friend class result_range;
        explicit iterator(detail::stream_reader<R>* reader) noexcept : reader_(reader) {}

        detail::stream_reader<R>* reader_ = nullptr;
    };

    /// Reads the next element: the first one, or, after an exception, the one behind the failed one.
    iterator begin()
    {
        reader_->read();
        return iterator(reader_.get());
    }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// Waits for the next element and moves it out; nothing at the end. Throws where a task failed, and can be called again then.
    std::optional<R> next()
    {
        reader_->read();
        return std::exchange(reader_->value(), std::nullopt);
    }

    /// The same, but waits at most for `limit` (zero or less: not at all). Nothing also if no element arrived in that time: `ended` tells which
    /// it was. No element is lost.
    std::optional<R> next_for(duration limit)
    {
        reader_->read_for(limit);
        return std::exchange(reader_->value(), std::nullopt);
    }

    /// Takes the next element if it is there, and does not wait.
    std::optional<R> try_next() { return next_for(duration::zero()); }

    /// Whether there is nothing left to read, now or later: no element and no error.
    bool ended() const { return reader_->at_end(); }

    /// The position in the input of the element that was read last, also if it had failed.
    std::uint64_t index() const { return reader_->index(); }

    /// @private
    result_range(std::shared_ptr<detail::blocking_core> core, std::shared_ptr<detail::stream_state<R>> state,
                 const std::stop_token& stop)
        : reader_(std::make_unique<detail::stream_reader<R>>(std::move(core), std::move(state)))
    {
        reader_->watch(stop);
    }

private:
    std::unique_ptr<detail::stream_reader<R>> reader_;
};

} // namespace twat::mp

#endif
