// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CHOSEN_CALL_HPP
#define TWAT_MP_DETAIL_OPERATION_CHOSEN_CALL_HPP

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/workers.hpp>

#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>

namespace twat::mp::detail {

/// In the place of a call that a static_assert has refused: what follows compiles, so that the message stands alone.
struct refused_call
{
    using completed = void;
};

/// A call of a verb that is sent as bytes or runs in place, which is known when the program runs.
template <class Encoded, class InPlace>
class chosen_call
{
public:
    using completed = typename Encoded::completed;
    static_assert(std::is_same_v<completed, typename InPlace::completed>,
                  "twat::mp: the function returns something else for an element itself than for a copy of it, so its "
                  "result would depend on the "
                  "backend of an any_pool");

    template <std::size_t I, class Call>
    chosen_call(std::in_place_index_t<I> which, Call&& call) : call_(which, std::forward<Call>(call))
    {}

    /// Makes the operation; for `completion` see `collect_operation`.
    template <class Completion>
    std::shared_ptr<operation> make(Completion&& completion) &&
    {
        return std::visit([&](auto& call) { return std::move(call).make(std::forward<Completion>(completion)); },
                          call_);
    }

    /// The error of a call that does not become an operation, with its arguments.
    std::exception_ptr with_arguments(std::exception_ptr error)
    {
        return std::visit(
            [&](auto& call) {
                if constexpr (requires { call.with_arguments(error); })
                    return call.with_arguments(std::move(error));
                else
                    return std::move(error);
            },
            call_);
    }

private:
    std::variant<Encoded, InPlace> call_;
};

/// Whether pools with these workers say only when the program runs how calls are made.
template <class Workers>
inline constexpr bool is_chosen_at_run_time = std::is_same_v<Workers, any_workers>;

/** Makes a call for the workers of a pool.

    @param core Of the pool.
    @param make Called as `make.operator()<Workers>()`, once.
*/
template <class Workers, class Make>
auto make_call_for([[maybe_unused]] const pool_core& core, Make make)
{
    if constexpr (!is_chosen_at_run_time<Workers>) {
        return make.template operator()<Workers>();
    } else {
        using encoded = decltype(make.template operator()<process_workers>());
        using in_place = decltype(make.template operator()<thread_workers>());
        if constexpr (std::is_same_v<encoded, refused_call> || std::is_same_v<in_place, refused_call>) {
            return refused_call();
        } else {
            using chosen = chosen_call<encoded, in_place>;
            if (core.factory()->encodes())
                return chosen(std::in_place_index<0>, make.template operator()<process_workers>());
            return chosen(std::in_place_index<1>, make.template operator()<thread_workers>());
        }
    }
}

/// The same for what has one type for all workers: a stream.
template <class Workers, class Make>
auto make_stream_for([[maybe_unused]] const pool_core& core, Make make)
{
    if constexpr (!is_chosen_at_run_time<Workers>)
        return make.template operator()<Workers>();
    else if (core.factory()->encodes())
        return make.template operator()<process_workers>();
    else
        return make.template operator()<thread_workers>();
}

} // namespace twat::mp::detail

#endif
