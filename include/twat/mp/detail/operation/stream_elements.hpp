// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_STREAM_ELEMENTS_HPP
#define TWAT_MP_DETAIL_OPERATION_STREAM_ELEMENTS_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// The order of a stream's elements.
enum class stream_order { input, completion };

/// Elements of a stream whose positions in the input are neighbours: values, or one failure.
template <class R>
struct stream_run
{
    struct place // for R is bool, of which std::vector makes something else
    {
        R value;
    };

    std::uint64_t first = 0; ///< Position in the input.
    std::vector<place> values{};
    std::exception_ptr error{};

    std::size_t size() const noexcept { return error ? 1 : values.size(); }
};

/** The elements of a stream that nobody has read yet, in the order in which they will be read.

    They are kept by the run, as they come out of a worker: with a place for each element, an element of W7 on threads took three times as long.
*/
template <class R>
class stream_elements
{
public:
    /// By the place in the order of reading: the position in the input, or how many arrived before.
    using runs = std::map<std::uint64_t, stream_run<R>>;
    /// A run on its way: to add it needs no memory any more.
    using run_node = typename runs::node_type;

    explicit stream_elements(stream_order order) : order_(order) {}

    static run_node make_run(std::uint64_t first)
    {
        runs made;
        made.emplace(first, stream_run<R>{first, {}, {}});
        return made.extract(made.begin());
    }

    /// @pre The run is not empty.
    void add(run_node run) noexcept
    {
        const stream_run<R>& added = run.mapped();
        run.key() = place_of(added.first);
        arrived_ += added.size();
        runs_.insert(std::move(run));
    }

    /// Adds one value, to the run that it continues, if there is such a one.
    template <class Value>
    void add(std::uint64_t index, Value&& value)
    {
        using place = typename stream_run<R>::place;
        const std::uint64_t at = place_of(index);
        auto behind = runs_.upper_bound(at);
        if (behind != runs_.begin()) {
            auto& [key, before] = *std::prev(behind);
            if (!before.error && key + before.size() == at && before.first + before.size() == index) {
                before.values.push_back(place{R(std::forward<Value>(value))});
                ++arrived_;
                return;
            }
        }
        run_node run = make_run(index);
        run.mapped().values.push_back(place{R(std::forward<Value>(value))});
        add(std::move(run));
    }

    /// Adds a failed element.
    void add_failure(std::uint64_t index, std::exception_ptr error)
    {
        run_node run = make_run(index);
        run.mapped().error = std::move(error);
        add(std::move(run));
    }

    /// Whether the next one in order is there. In input order nothing is read over an element that is missing.
    bool readable() const noexcept { return !runs_.empty() && runs_.begin()->first == next_; }

    /// Moves all that can be read behind what `into` has.
    void fetch(runs& into) noexcept
    {
        while (readable()) {
            next_ += runs_.begin()->second.size();
            into.insert(into.end(), runs_.extract(runs_.begin()));
        }
    }

private:
    std::uint64_t place_of(std::uint64_t index) const noexcept
    {
        return order_ == stream_order::input ? index : arrived_;
    }

    const stream_order order_;
    runs runs_;
    std::uint64_t arrived_ = 0; ///< Elements that were added.
    std::uint64_t next_ = 0;    ///< Elements that were fetched.
};

} // namespace twat::mp::detail

#endif
