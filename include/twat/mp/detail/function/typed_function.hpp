// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_TYPED_FUNCTION_HPP
#define TWAT_MP_DETAIL_FUNCTION_TYPED_FUNCTION_HPP

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/codec/argument_pack.hpp>
#include <twat/mp/detail/function/call_result.hpp>
#include <twat/mp/detail/function/describe.hpp>
#include <twat/mp/detail/function/function_state.hpp>
#include <twat/mp/detail/function/signature.hpp>
#include <twat/mp/detail/function/worker_function.hpp>

namespace twat::mp::detail {

/// Runs a coroutine on the calling worker's own context until it is done; outside a worker, on one made for it.
TWAT_MP_DECL void run_to_completion(asio::awaitable<void> coroutine);

/** `worker_function` for an `F` and the decoded types of one task's arguments.

    A result that is not encodable is dropped: the verbs refuse such functions, and of an initializer nobody wants it.
*/
template <class F, class... Args>
class typed_function final : public worker_function
{
    using pack = argument_pack<Args...>;
    using result_type = call_result_t<F, Args...>;
    static constexpr bool coroutine = is_coroutine_call<F, Args...>;

public:
    explicit typed_function(F f) : f_(std::move(f)) {}

    bool is_coroutine() const noexcept override { return coroutine; }

    void call(decoder& arguments, encoder& result) const override
    {
        pack values(arguments);
        result.enter(life_phase::call);
        if constexpr (coroutine)
            run_to_completion(run(f_, std::move(values), result));
        else if constexpr (std::is_void_v<result_type>)
            values.call(f_);
        else
            write(result, values.call(f_));
    }

    asio::awaitable<void> call_async(decoder arguments, encoder& result) const override
    {
        // Decoded here and not in the coroutine, which starts later, when the bytes may be gone.
        pack values(arguments);
        result.enter(life_phase::call);
        if constexpr (coroutine)
            return run(f_, std::move(values), result);
        else
            return run_plain(f_, std::move(values), result);
    }

    std::string describe(decoder arguments) const override
    {
        if constexpr ((is_describable<Args> || ...)) {
            try {
                const pack values(arguments);
                argument_text text;
                values.visit(text);
                return text.take();
            }
            catch (...) {
            }
        }
        return {};
    }

private:
    template <class R>
    static void write(encoder& out, R&& value)
    {
        if constexpr (encodable<result_type>) {
            out.enter(life_phase::encode);
            if constexpr (std::is_same_v<std::remove_cvref_t<R>, result_type>)
                out.write(value);
            else
                out.write(static_cast<result_type>(std::forward<R>(value)));
        }
    }

    // The arguments lie in this coroutine's frame until the user's coroutine, which may refer to them, is done. Everything
    // that owns something has a name: g++ 12 destroys temporaries of a co_await expression twice.
    static asio::awaitable<void> run(const F& f, pack values, encoder& result)
    {
        auto running = values.call(f);
        if constexpr (std::is_void_v<result_type>) {
            co_await std::move(running);
        } else {
            auto value = co_await std::move(running);
            write(result, std::move(value));
        }
    }

    static asio::awaitable<void> run_plain(const F& f, pack values, encoder& result)
    {
        if constexpr (std::is_void_v<result_type>)
            values.call(f);
        else
            write(result, values.call(f));
        co_return;
    }

    F f_;
};

/** The constant that stands for calls of an `F` with `Args`, in this module.

    Its address names the function, and only together with the module: equal names in different translation units have
    constants of their own.
*/
template <class F, class... Args>
struct thunk
{
    static std::unique_ptr<worker_function> make(decoder& state)
    {
        return std::make_unique<typed_function<F, Args...>>(function_state<F>::read(state));
    }

    static constexpr descriptor d{descriptor_magic, hash_text(types_text<F, Args...>()), &make,
                                  types_text<F, Args...>()};
};

} // namespace twat::mp::detail

#endif
