// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_OBSERVERS_HPP
#define TWAT_MP_DETAIL_OPERATION_OBSERVERS_HPP

#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/operation/journaling.hpp>

namespace twat::mp::detail {

/// In the place of a progress callback: none.
struct no_progress
{};

/// In the place of a progress callback: one (or none), and a callback that is told what each task used.
template <class Progress, class Usage>
class observers
{
public:
    observers(Progress progress, Usage usage) : progress_(std::move(progress)), usage_(std::move(usage)) {}

    const Progress& progress() const noexcept { return progress_; }
    Progress& progress() noexcept { return progress_; }
    const Usage& usage() const noexcept { return usage_; }
    Usage& usage() noexcept { return usage_; }

private:
    [[no_unique_address]] Progress progress_;
    [[no_unique_address]] Usage usage_;
};

/// What stands in the place of a progress callback.
template <class T>
struct observed
{
    static constexpr bool progress = !std::is_same_v<T, no_progress>;
    static constexpr bool usage = false;
    static T& progress_of(T& all) noexcept { return all; }
};

template <class Progress, class Usage>
struct observed<observers<Progress, Usage>>
{
    static constexpr bool progress = observed<Progress>::progress;
    static constexpr bool usage = true;
    static Progress& progress_of(observers<Progress, Usage>& all) noexcept { return all.progress(); }
    static Usage& usage_of(observers<Progress, Usage>& all) noexcept { return all.usage(); }
};

template <class Inner>
struct observed<journaling<Inner>>
{
    static constexpr bool progress = observed<Inner>::progress;
    static constexpr bool usage = observed<Inner>::usage;
    static auto& progress_of(journaling<Inner>& all) noexcept { return observed<Inner>::progress_of(all.callback()); }
    static auto& usage_of(journaling<Inner>& all) noexcept { return observed<Inner>::usage_of(all.callback()); }
};

/// Whether a callback can be copied; if not, a message says what to do.
template <class Callback>
constexpr bool check_copied()
{
    constexpr bool copied = std::is_copy_constructible_v<std::decay_t<Callback>>;
    static_assert(copied, "twat::mp: a callback is copied into each operation, and this one cannot be copied; pass "
                          "std::ref of it");
    return copied;
}

/// The same with another progress callback.
template <class Before, class Callback>
Callback add_progress(const Before&, Callback callback)
{
    return callback;
}
template <class Progress, class Usage, class Callback>
observers<Callback, Usage> add_progress(const observers<Progress, Usage>& before, Callback callback)
{
    return {std::move(callback), before.usage()};
}
template <class Inner, class Callback>
auto add_progress(const journaling<Inner>& before, Callback callback)
{
    auto inner = add_progress(before.callback(), std::move(callback));
    return journaling<decltype(inner)>(before.place(), std::move(inner));
}

/// The same with another usage callback.
template <class Before, class Callback>
observers<Before, Callback> add_usage(const Before& before, Callback callback)
{
    return {before, std::move(callback)};
}
template <class Progress, class Usage, class Callback>
observers<Progress, Callback> add_usage(const observers<Progress, Usage>& before, Callback callback)
{
    return {before.progress(), std::move(callback)};
}
template <class Inner, class Callback>
auto add_usage(const journaling<Inner>& before, Callback callback)
{
    auto inner = add_usage(before.callback(), std::move(callback));
    return journaling<decltype(inner)>(before.place(), std::move(inner));
}

} // namespace twat::mp::detail

#endif
