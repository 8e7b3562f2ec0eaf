// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_WATCH_HPP
#define TWAT_MP_SRC_ENGINE_WATCH_HPP

#include <boost/intrusive/set.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

using watch_hook = boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>,
                                                   boost::intrusive::optimize_size<true>>;

/// A moment at which somebody has to look at its owner. Leaves the watch when it is destroyed.
template <class Owner>
class watched : public watch_hook
{
public:
    explicit watched(Owner& owner) noexcept : owner_(owner) {}
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;

    Owner& owner() const noexcept { return owner_; }
    /// `time_point::max()`: never.
    time_point due() const noexcept { return due_; }

    friend bool operator<(const watched& a, const watched& b) noexcept { return a.due_ < b.due_; }

private:
    template <class>
    friend class watch;

    Owner& owner_;
    time_point due_ = time_point::max();
};

/** When to look at what, the earliest first; at one moment, in the order in which they were set.

    A million calls may have a deadline, nearly all of which end before it: so a moment is moved or taken out in logarithmic time and
    the next one is known at once. A balanced tree whose links are in the elements (Boost.Intrusive) and not a heap, as nothing is
    allocated for an element and one that comes last, as those of one duration do, finds its place at once.
*/
template <class Owner>
class watch
{
public:
    /// Sets the moment anew; `time_point::max()`: never.
    void set(watched<Owner>& what, time_point due) noexcept
    {
        if (what.due_ == due)
            return;
        what.unlink();
        what.due_ = due;
        if (due != time_point::max())
            tree_.insert(tree_.cend(), what);
    }

    void clear(watched<Owner>& what) noexcept { set(what, time_point::max()); }

    bool empty() const noexcept { return tree_.empty(); }
    /// The earliest moment; `time_point::max()` if there is none.
    time_point next() const noexcept { return tree_.empty() ? time_point::max() : tree_.begin()->due(); }

    /// Takes out the earliest moment if it has come, and returns whose it is; else null.
    Owner* take_due(time_point now) noexcept
    {
        if (tree_.empty() || tree_.begin()->due() > now)
            return nullptr;
        watched<Owner>& first = *tree_.begin();
        clear(first);
        return &first.owner();
    }

private:
    boost::intrusive::multiset<watched<Owner>, boost::intrusive::base_hook<watch_hook>,
                               boost::intrusive::constant_time_size<false>>
        tree_;
};

} // namespace twat::mp::detail

#endif
