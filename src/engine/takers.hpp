// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_TAKERS_HPP
#define TWAT_MP_SRC_ENGINE_TAKERS_HPP

#include <boost/intrusive/set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace twat::mp::detail {

struct taker_tag;

using taker_hook =
    boost::intrusive::set_base_hook<boost::intrusive::tag<taker_tag>, boost::intrusive::optimize_size<true>,
                                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// What can stand in `takers`; leaves them when it is destroyed.
struct taker : taker_hook
{
    std::size_t load = 0;    ///< Chunks that it held when it was put there.
    std::uint64_t order = 0; ///< In which they came.

    friend bool operator<(const taker& a, const taker& b) noexcept
    {
        return a.load != b.load ? a.load < b.load : a.order < b.order;
    }
};

/** The workers that can take a chunk, by what they hold; of each kind the one with the least first.

    What there is nothing of for one, there is for no other of its kind: so whoever looks for a worker looks at one of each kind, however many
    there are. Guests, which take tasks of one operation only, are a kind apart, in which that does not hold.
*/
class takers
{
public:
    enum kind : std::size_t { idle, plain, coroutines, guest, kinds };

    void put(taker& t, kind k, std::size_t load) noexcept
    {
        remove(t);
        t.load = load;
        lines_[k].insert(t);
    }

    void remove(taker& t) noexcept { t.unlink(); }

    /// The one with the least; null if there is none.
    taker* first(kind k) noexcept { return lines_[k].empty() ? nullptr : &*lines_[k].begin(); }

    /// The one that comes next after this one, which need not be there any more.
    taker* after(kind k, const taker& previous) noexcept
    {
        const auto next = lines_[k].upper_bound(previous);
        return next == lines_[k].end() ? nullptr : &*next;
    }

    void clear() noexcept
    {
        for (auto& line : lines_)
            line.clear();
    }

private:
    std::array<boost::intrusive::set<taker, boost::intrusive::base_hook<taker_hook>,
                                     boost::intrusive::constant_time_size<false>>,
               kinds>
        lines_;
};

} // namespace twat::mp::detail

#endif
