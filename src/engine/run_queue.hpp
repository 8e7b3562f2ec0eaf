// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_RUN_QUEUE_HPP
#define TWAT_MP_SRC_ENGINE_RUN_QUEUE_HPP

#include <boost/intrusive/list.hpp>

#include <array>
#include <cstddef>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

struct run_queue_tag;

/// What can stand in a `run_queue`: in one at a time.
struct queued : boost::intrusive::list_base_hook<boost::intrusive::tag<run_queue_tag>>
{
    priority prio = priority::normal; ///< Not changed while it is in a queue.
};

/** Those that wait: a line for each priority, in the order of arrival.

    A million calls may wait, and each may leave from the middle at any time, so the links are in the elements themselves
    (Boost.Intrusive): every member takes constant time and none allocates. Nothing is owned.

    @tparam T Derived from `queued`.
*/
template <class T>
class run_queue
{
    using line_type = boost::intrusive::list<
        queued, boost::intrusive::base_hook<boost::intrusive::list_base_hook<boost::intrusive::tag<run_queue_tag>>>>;

public:
    static constexpr std::size_t priorities = 3;

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    void push_back(T& element) noexcept
    {
        line(element.prio).push_back(element);
        ++size_;
    }

    /// @pre It is in this queue.
    void remove(T& element) noexcept
    {
        auto& from = line(element.prio);
        from.erase(from.iterator_to(element));
        --size_;
    }

    /// The one of the highest priority that has been there for longest; null if the queue is empty.
    T* front() noexcept
    {
        for (std::size_t prio = priorities; prio-- > 0;)
            if (!lines_[prio].empty())
                return &static_cast<T&>(lines_[prio].front());
        return nullptr;
    }

private:
    line_type& line(priority prio) noexcept { return lines_[static_cast<std::size_t>(prio)]; }

    std::array<line_type, priorities> lines_;
    std::size_t size_ = 0;
};

} // namespace twat::mp::detail

#endif
