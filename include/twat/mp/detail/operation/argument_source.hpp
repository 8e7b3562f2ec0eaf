// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_ARGUMENT_SOURCE_HPP
#define TWAT_MP_DETAIL_OPERATION_ARGUMENT_SOURCE_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/function/parameter.hpp>
#include <twat/mp/detail/function/task_traits.hpp>
#include <twat/mp/detail/operation/refused_arguments.hpp>

namespace twat::mp::detail {

/** The one task of `apply`: copies of the arguments. A source like those of the range verbs. */
template <class Workers, class... Arguments>
class argument_source
{
public:
    static constexpr bool indexable = false;
    static constexpr bool is_call = true; ///< Not a range, whose iterators may run anything.
    using parameters = parameter_list<parameter_t<Workers, Arguments>...>;

    template <class... As>
    explicit argument_source(std::in_place_t, As&&... arguments)
        : arguments_(std::in_place, as_parameter<Workers>(std::forward<As>(arguments))...)
    {}

    std::optional<std::size_t> total() const noexcept { return 1; }
    bool next() noexcept { return !std::exchange(taken_, true); }

    template <class Function>
    decltype(auto) read(Function&& f)
    {
        return std::apply([&](auto&... arguments) -> decltype(auto) { return f(std::move(arguments)...); },
                          *arguments_);
    }

    /// They have been read, and are not needed any more. Without this they live as long as the operation, as shared memory must.
    void forget() noexcept { arguments_.reset(); }

    /// No worker has had them: those that cannot be copied are for the caller. Null if there are none.
    std::shared_ptr<refused_arguments> give_back()
    {
        if constexpr ((... || comes_back<parameter_t<Workers, Arguments>>)) {
            if (arguments_)
                return std::make_shared<kept_arguments<parameter_t<Workers, Arguments>...>>(std::move(*arguments_));
        }
        return nullptr;
    }

private:
    std::optional<std::tuple<parameter_t<Workers, Arguments>...>> arguments_;
    bool taken_ = false;
};

} // namespace twat::mp::detail

#endif
