// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_PROCESS_CALL_HPP
#define TWAT_MP_DETAIL_OPERATION_PROCESS_CALL_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/fwd.hpp>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/operation/call_operation.hpp>
#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/detail/function/signature.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/payload.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

/// Refuses what cannot be sent, with a message that says why.
template <class F, class... Parameters>
constexpr void check_sendable(parameter_list<Parameters...>)
{
    check_portable<F>();
    (check_encodable<Parameters>(), ...);
    using result = task_result_t<F, parameter_list<Parameters...>>;
    if constexpr (!std::is_void_v<result>)
        check_encodable<result>();
}

/** The function and how it is called on workers of another address space: as bytes. */
template <class Workers, class F, class... Parameters>
class call_operation<Workers, F, parameter_list<Parameters...>, true> : public operation
{
public:
    using traits_type = task_traits<F, parameter_list<Parameters...>>;
    using value_type = typename traits_type::value;

    template <class G>
    call_operation(operation_traits traits, G&& f)
        : operation(with_function<F>(std::move(traits), traits_type::coroutine)), f_(std::forward<G>(f))
    {}

    attached_bytes encode_function(bool by_name) override
    {
        return detail::encode_function<F, Parameters...>(f_, by_name);
    }

    const char* function_types() const noexcept override { return types_text<F, Parameters...>(); }

    std::unique_ptr<payload> make_payload() const override { return std::make_unique<encoded_payload>(); }

    result_decoder decodes_apart() const noexcept override
    {
        if constexpr (std::is_void_v<typename traits_type::result>)
            return nullptr;
        else
            return decode_result<value_type>;
    }

protected:
    /// Adds a task made of `values` behind those in `into`, unless they cannot be encoded: then says why.
    template <class... Ts>
    std::exception_ptr append(payload& into, std::size_t limit, std::uint64_t index, Ts&&... values)
    {
        auto& tasks = static_cast<encoded_payload&>(into);
        encoder& out = tasks.writer();
        const std::size_t room = std::numeric_limits<std::size_t>::max() - out.size();
        out.set_limit(out.size() + (limit < room ? limit : room));
        std::exception_ptr error;
        try {
            (write<Parameters>(out, std::forward<Ts>(values)), ...);
        }
        catch (const error_type&) {
            error = annotate(std::current_exception(), index);
        }
        catch (const std::bad_alloc&) {
            error = annotate(std::current_exception(), index);
        }
        catch (const std::exception& e) {
            error =
                make_nested(errc::encode_failed, e.what(), std::current_exception(), static_cast<std::size_t>(index));
        }
        catch (...) {
            error = make_nested(errc::encode_failed, {}, std::current_exception(), static_cast<std::size_t>(index));
        }
        if (error)
            tasks.drop_task();
        else
            tasks.end_task();
        return error;
    }

    /// Whether the last task does.
    static bool sends_descriptors(const payload& into) noexcept
    {
        const auto& tasks = static_cast<const encoded_payload&>(into);
        const attachments* const sent = tasks.sent();
        if (!sent || tasks.size() == 0)
            return false;
        const std::byte* const begin = tasks[tasks.size() - 1].data();
        for (auto each = sent->rbegin(); each != sent->rend() && tasks.bytes().data() + each->offset >= begin; ++each)
            if (!each->is_memory)
                return true;
        return false;
    }

    static constexpr bool can_run_again = true;

    /// Adds a task for each of `values`, whose bytes are what is sent, behind those in `into`, which are such tasks too.
    template <class T>
    static void append_all(payload& into, std::span<const T> values)
    {
        auto& tasks = static_cast<encoded_payload&>(into);
        tasks.buffer().append(values.data(), values.size_bytes());
        tasks.end_tasks(values.size(), sizeof(T));
    }

    /// Takes a result, for `keep`. Throws if it cannot be decoded.
    template <class Keep>
    void take(const finished_task& task, Keep&& keep)
    {
        if constexpr (std::is_void_v<typename traits_type::result>)
            keep(value_type());
        else if (task.decoded)
            keep(std::move(static_cast<decoded_value<value_type>&>(*task.decoded).value));
        else
            keep(task.value->template read<value_type>());
    }

private:
    using error_type = twat::mp::error;

    /// Elements that have another type than the function's argument (proxies, literals) are converted first.
    template <class Parameter, class T>
    static void write(encoder& out, T&& value)
    {
        if constexpr (std::is_same_v<std::remove_cvref_t<T>, Parameter>)
            out.write(value);
        else
            out.write(static_cast<const Parameter&>(static_cast<Parameter>(as_sent(std::forward<T>(value)))));
    }

    const F f_;
};

} // namespace twat::mp::detail

#endif
