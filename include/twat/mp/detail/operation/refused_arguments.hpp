// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_REFUSED_ARGUMENTS_HPP
#define TWAT_MP_DETAIL_OPERATION_REFUSED_ARGUMENTS_HPP

#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/function/surely_copyable.hpp>

namespace twat::mp::detail {

/// What a call was given that no worker had, in the error that says so.
class BOOST_SYMBOL_VISIBLE refused_arguments
{
public:
    virtual ~refused_arguments() = default;
    /// @param into A `std::optional` of the type; left as it is if there is none.
    virtual void take(const std::type_info& type, void* into) = 0;
};

/// Whether whoever gives an argument away may have no other one. Copies of all others would only be in the way.
template <class T>
inline constexpr bool comes_back = std::is_object_v<T>&& std::is_move_constructible_v<T> && !surely_copyable<T>;

template <class... Ts>
class kept_arguments final : public refused_arguments
{
public:
    explicit kept_arguments(std::tuple<Ts...>&& arguments)
        : arguments_(
              std::apply([](auto&... all) { return std::tuple<kept<Ts>...>(kept<Ts>(std::move(all))...); }, arguments))
    {}

    void take(const std::type_info& type, void* into) override
    {
        bool found = false;
        std::apply([&](auto&... all) { (all.take(type, into, found), ...); }, arguments_);
    }

private:
    template <class T>
    struct kept
    {
        explicit kept(T& argument) : value(std::move(argument)) {}
        explicit kept(T&& argument) : value(std::move(argument)) {}

        void take(const std::type_info& type, void* into, bool& found)
        {
            if (found || !value || type != typeid(T))
                return;
            static_cast<std::optional<T>*>(into)->emplace(std::move(*value));
            value.reset();
            found = true;
        }

        std::optional<T> value;
    };

    template <class T>
    requires(!comes_back<T>) struct kept<T>
    {
        explicit kept(const T&) noexcept {}
        void take(const std::type_info&, void*, bool&) noexcept {}
    };

    std::tuple<kept<Ts>...> arguments_;
};

/// The same error with the arguments; without them where it cannot have any.
TWAT_MP_DECL std::exception_ptr give_back(std::exception_ptr error,
                                          std::shared_ptr<refused_arguments> arguments) noexcept;

} // namespace twat::mp::detail

#endif
