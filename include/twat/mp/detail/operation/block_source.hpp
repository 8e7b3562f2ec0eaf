// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BLOCK_SOURCE_HPP
#define TWAT_MP_DETAIL_OPERATION_BLOCK_SOURCE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/codec/sent_type.hpp>
#include <twat/mp/detail/function/parameter.hpp>
#include <twat/mp/detail/function/task_traits.hpp>
#include <twat/mp/detail/operation/block.hpp>
#include <twat/mp/detail/operation/range_holder.hpp>
#include <twat/mp/detail/operation/range_source.hpp>

namespace twat::mp::detail {

/** Where each block of a range begins and how many elements it has.

    Of one size if that is given. Otherwise, as the range does not say how long it is, the first 64 blocks have one element, the next 64 two,
    then four ... up to 4096: as many as are needed to keep workers busy with costly elements, and few enough for cheap ones.
*/
class block_sizes
{
public:
    explicit block_sizes(std::size_t size) noexcept : size_(size) {}

    std::size_t size(std::uint64_t block) const noexcept
    {
        return size_ != 0 ? size_ : std::size_t(1) << std::min<std::uint64_t>(block / at_a_time, doublings);
    }

    std::uint64_t first(std::uint64_t block) const noexcept
    {
        if (size_ != 0)
            return block * size_;
        const std::uint64_t steps = std::min<std::uint64_t>(block / at_a_time, doublings);
        return at_a_time * ((std::uint64_t(1) << steps) - 1) +
               (block - steps * at_a_time) * (std::uint64_t(1) << steps);
    }

private:
    static constexpr std::uint64_t at_a_time = 64, doublings = 12;

    std::size_t size_; ///< 0: they grow.
};

template <class Range>
inline constexpr bool is_iota = false;
template <class First, class Bound>
inline constexpr bool is_iota<std::ranges::iota_view<First, Bound>> = true;

/// Whether threads may go through the range by themselves, several at once.
template <class Workers, class Range>
inline constexpr bool walks_in_place = shares_elements<Workers, Range> ||
                                       (!Workers::encodes && is_iota<std::remove_cv_t<Range>>);

template <class Workers, class Range, bool = walks_in_place<Workers, Range>>
struct column_of
{
    using value = parameter_t<Workers, std::ranges::range_value_t<Range>>;
    using type = value_column<value>;
};

template <class Workers, class Range>
struct column_of<Workers, Range, true>
{
    /// A pointer does not let go through it what the range protects: threads share its elements.
    struct constant_iterator
    {
        decltype(auto) operator*() const { return std::as_const(*at); }
        constant_iterator operator++(int) { return {at++}; }
        std::ranges::iterator_t<Range> at{};
    };
    using type = iterator_column<std::conditional_t<
        is_iota<std::remove_cv_t<Range>>, std::ranges::iterator_t<Range>,
        std::conditional_t<std::ranges::contiguous_range<Range>,
                           std::add_pointer_t<const std::remove_reference_t<std::ranges::range_reference_t<Range>>>,
                           constant_iterator>>>;
};

/// One range of a block source.
template <class Workers, class Range>
class block_feed
{
public:
    using column = typename column_of<Workers, Range>::type;

    explicit block_feed(Range& range) : range_(range), at_(std::ranges::begin(range)), end_(std::ranges::end(range)) {}

    // With an unknown end: all ranges go on together, by one element.
    void start_column() { column_.reset(); }
    void advance()
    {
        if (begun_)
            ++at_;
        begun_ = true;
    }
    bool at_end() const { return at_ == end_; }
    void read(std::size_t expected)
    {
        if constexpr (walks_in_place<Workers, Range>) {
            if (!column_)
                column_.emplace(column(position()));
        } else {
            if (!column_)
                column_.emplace().reserve(std::min<std::size_t>(expected, 4096));
            column_->push(as_parameter<Workers>(*at_));
        }
    }
    column take_column() { return std::move(*column_); }

    /// With a known end: the next `count` elements.
    column take(std::size_t count)
    {
        if constexpr (std::ranges::random_access_range<Range>) {
            const auto offset = static_cast<std::ranges::range_difference_t<Range>>(taken_);
            taken_ += count;
            at_ = std::ranges::begin(range_) + offset;
            if constexpr (walks_in_place<Workers, Range>) {
                return column(position());
            } else if constexpr (is_iota<std::remove_cv_t<Range>> && may_count<column>) {
                return column::counting(*at_);
            } else if constexpr (is_array<Range> && sends_array) {
                return column(std::span(std::ranges::data(range_) + offset, count));
            } else {
                column made;
                made.reserve(count);
                for (std::size_t i = 0; i != count; ++i, ++at_)
                    made.push(as_parameter<Workers>(*at_));
                return made;
            }
        } else {
            start_column();
            for (std::size_t i = 0; i != count; ++i) {
                advance();
                read(count);
            }
            return take_column();
        }
    }

private:
    using value = std::ranges::range_value_t<Range>;
    static constexpr bool sends_array =
        Workers::encodes && std::is_same_v<column, value_column<value>> && !std::is_same_v<value, bool>;

    auto position()
    {
        if constexpr (is_iota<std::remove_cv_t<Range>>)
            return at_;
        else if constexpr (std::ranges::contiguous_range<Range>)
            return std::to_address(at_);
        else
            return typename column_of<Workers, Range>::constant_iterator{at_};
    }

    Range& range_;
    std::ranges::iterator_t<Range> at_;
    std::ranges::sentinel_t<Range> end_;
    std::uint64_t taken_ = 0;
    bool begun_ = false;
    std::optional<column> column_{};
};

/** The tasks of `reduce`, `filter` and `for_each`: blocks of neighbouring elements, up to the end of the shortest range. */
template <class Workers, class... Ranges>
class block_source
{
public:
    using block_type = block<typename block_feed<Workers, held_range_t<Ranges>>::column...>;
    using parameters = parameter_list<block_type>;
    static constexpr bool indexable = false;

    /// @param size Of a block; 0: see `block_sizes`. @param most If the range knows its size: blocks at most, where `size` is 0.
    template <class... Rs>
    block_source(std::in_place_t, std::size_t size, std::size_t most, Rs&&... ranges)
        : ranges_(range_holder<Ranges>(std::in_place, std::forward<Rs>(ranges))...), elements_(count_elements()),
          sizes_(size != 0 || !elements_ ? size : std::max<std::size_t>(1, (*elements_ + most - 1) / most))
    {}

    const block_sizes& sizes() const noexcept { return sizes_; }
    std::optional<std::size_t> elements() const noexcept { return elements_; }

    std::optional<std::size_t> total() const noexcept
    {
        if (!elements_)
            return std::nullopt;
        const std::size_t size = sizes_.size(0);
        return *elements_ / size + (*elements_ % size != 0 ? 1 : 0);
    }

    bool next()
    {
        if (!feeds_)
            std::apply(
                [&](auto&... holders) { feeds_.emplace(block_feed<Workers, held_range_t<Ranges>>(holders.get())...); },
                ranges_);
        const std::uint64_t first = sizes_.first(index_);
        std::size_t size = sizes_.size(index_);
        ++index_;
        if constexpr (knows_size) {
            if (first >= *elements_)
                return false;
            size = std::min<std::size_t>(size, *elements_ - static_cast<std::size_t>(first));
            std::apply([&](auto&... feeds) { block_.emplace(size, feeds.take(size)...); }, *feeds_);
            block_->set_first(first);
            return true;
        } else {
            if (!std::apply([&](auto&... feeds) { return fill(size, feeds...); }, *feeds_))
                return false;
            block_->set_first(first);
            return true;
        }
    }

    template <class Function>
    decltype(auto) read(Function&& f)
    {
        return f(std::move(*block_));
    }

private:
    static constexpr bool knows_size = (... || std::ranges::sized_range<held_range_t<Ranges>>)&&(
        ... && (std::ranges::sized_range<held_range_t<Ranges>> || is_endless<held_range_t<Ranges>>));

    template <class... Feeds>
    bool fill(std::size_t size, Feeds&... feeds)
    {
        if (ended_)
            return false;
        (feeds.start_column(), ...);
        std::size_t count = 0;
        for (; count != size; ++count) {
            (feeds.advance(), ...);
            ended_ = (... || feeds.at_end());
            if (ended_)
                break;
            (feeds.read(size), ...);
        }
        if (count == 0)
            return false;
        block_.emplace(count, feeds.take_column()...);
        return true;
    }

    std::optional<std::size_t> count_elements()
    {
        return std::apply([](auto&... holders) { return count_tasks(holders.get()...); }, ranges_);
    }

    template <class... Rs>
    static std::optional<std::size_t> count_tasks([[maybe_unused]] Rs&... ranges)
    {
        if constexpr (knows_size) {
            std::optional<std::size_t> shortest;
            const auto measure = [&]<class Range>(Range& range) {
                if constexpr (std::ranges::sized_range<Range>) {
                    const auto size = static_cast<std::size_t>(std::ranges::size(range));
                    shortest = shortest ? std::min(*shortest, size) : size;
                }
            };
            (measure(ranges), ...);
            return shortest;
        } else {
            return std::nullopt;
        }
    }

    std::tuple<range_holder<Ranges>...> ranges_;
    std::optional<std::size_t> elements_;
    block_sizes sizes_;
    std::optional<std::tuple<block_feed<Workers, held_range_t<Ranges>>...>> feeds_;
    std::optional<block_type> block_;
    std::uint64_t index_ = 0;
    bool ended_ = false;
};

} // namespace twat::mp::detail

#endif
