// SPDX-License-Identifier: BSL-1.0
#include "exception/standard_exceptions.hpp"

#include <boost/system/system_error.hpp>

#include <any>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <version>

#ifdef __cpp_lib_format
#include <format>
#endif

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/exception/exception_type.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker_died.hpp>

namespace twat::mp::detail {
namespace {

/// An `E` with words that its constructors do not let one choose.
template <class E>
class BOOST_SYMBOL_VISIBLE described : public E
{
public:
    template <class... Args>
    explicit described(const std::string& what, Args&&... args)
        : E(std::forward<Args>(args)...), what_(std::make_shared<const std::string>(what))
    {}

    const char* what() const noexcept override { return what_->c_str(); }

private:
    std::shared_ptr<const std::string> what_; // shared, so that copying cannot throw
};

// How each type is written and read, besides what().

template <class E>
struct traits
{
    static void encode(encoder&, const E&) {}
    static auto decode(decoder&, const std::string& what)
    {
        if constexpr (std::is_constructible_v<E, const std::string&>)
            return [=] { return E(what); };
        else
            return [=] { return described<E>(what); };
    }
};

template <class E>
requires std::derived_from<E, std::system_error>
struct traits<E>
{
    static void encode(encoder& out, const E& e) { out.write(e.code()); }
    static auto decode(decoder& in, const std::string& what)
    {
        const std::error_code code = in.read<std::error_code>();
        if constexpr (std::is_constructible_v<E, const std::string&, std::error_code>)
            return [=] { return described<E>(what, what, code); }; // failure has no constructor of the code alone
        else
            return [=] { return described<E>(what, code); };
    }
};

template <class E>
requires std::derived_from<E, boost::system::system_error>
struct traits<E>
{
    static void encode(encoder& out, const E& e) { out.write(e.code()); }
    static auto decode(decoder& in, const std::string& what)
    {
        const boost::system::error_code code = in.read<boost::system::error_code>();
        if constexpr (std::is_constructible_v<E, boost::system::error_code>)
            return [=] { return described<E>(what, code); };
        else
            return [=] { return described<E>(what, static_cast<errc>(code.value())); };
    }
};

template <>
struct traits<worker_died>
{
    static void encode(encoder& out, const worker_died& e)
    {
        const std::uint64_t index = e.has_task() ? e.task_index() : 0;
        out.write(std::array{e.pid(), e.signal(), e.exit_code(), int{e.status_known()}, int{e.has_task()}});
        out.write(index);
        out.write(std::array{static_cast<std::uint64_t>(e.phase()), static_cast<std::uint64_t>(e.out_of_memory()),
                             static_cast<std::uint64_t>(e.resident_size())});
        encode_text(out, e.stderr_tail().c_str());
    }
    static auto decode(decoder& in, const std::string& what)
    {
        const auto fields = in.read<std::array<int, 5>>();
        const auto index = in.read<std::uint64_t>();
        const auto more = in.read<std::array<std::uint64_t, 3>>();
        worker_died::circumstances last;
        if (more[0] <= static_cast<std::uint64_t>(life_phase::finalizer))
            last.phase = static_cast<life_phase>(more[0]);
        if (more[1] <= static_cast<std::uint64_t>(memory_verdict::likely))
            last.out_of_memory = static_cast<memory_verdict>(more[1]);
        last.resident_size = static_cast<std::size_t>(more[2]);
        last.stderr_tail = decode_text(in);
        const worker_died::exit_status status{fields[3] != 0, fields[1], fields[2]};
        const std::optional<std::size_t> task = fields[4] ? std::optional<std::size_t>(index) : std::nullopt;
        return [=, pid = fields[0]] { return described<worker_died>(what, pid, status, task, std::string(), last); };
    }
};

template <>
struct traits<remote_error>
{
    static void encode(encoder& out, const remote_error& e) { encode_text(out, e.type_name().c_str()); }
    static auto decode(decoder& in, const std::string& what)
    {
        return [=, type_name = decode_text(in)] { return remote_error(type_name, what); };
    }
};

template <>
struct traits<std::filesystem::filesystem_error>
{
    static void encode(encoder& out, const std::filesystem::filesystem_error& e)
    {
        out.write(e.code());
        encode_text(out, e.path1().c_str());
        encode_text(out, e.path2().c_str());
    }
    static auto decode(decoder& in, const std::string& what)
    {
        const std::error_code code = in.read<std::error_code>();
        const std::filesystem::path path1 = decode_text(in), path2 = decode_text(in);
        return [=] { return described<std::filesystem::filesystem_error>(what, what, path1, path2, code); };
    }
};

template <>
struct traits<std::future_error>
{
    static void encode(encoder& out, const std::future_error& e) { out.write(e.code()); }
    static auto decode(decoder& in, const std::string& what)
    {
        const auto code = static_cast<std::future_errc>(in.read<std::error_code>().value());
        return [=] { return described<std::future_error>(what, code); };
    }
};

template <>
struct traits<std::regex_error>
{
    static void encode(encoder& out, const std::regex_error& e) { out.write(static_cast<int>(e.code())); }
    static auto decode(decoder& in, const std::string& what)
    {
        const int code = in.read<int>();
        // The type can hold no more; standard libraries have a few values behind the last that is specified.
        constexpr auto last = std::bit_ceil(static_cast<unsigned>(std::regex_constants::error_stack) + 1) - 1;
        if (code < 0 || code > static_cast<int>(last))
            throw error(errc::decode_failed, "no such std::regex_constants::error_type");
        return [=] { return described<std::regex_error>(what, static_cast<std::regex_constants::error_type>(code)); };
    }
};

template <class E>
const std::type_info* nested_type()
{
#ifdef __GLIBCXX__
    return &typeid(std::_Nested_exception<E>);
#else
    return nullptr;
#endif
}

template <class E>
standard_exception entry()
{
    return {
        &typeid(E),
        nested_type<E>(),
        [](const std::exception& e) { return std::is_same_v<E, std::exception> || dynamic_cast<const E*>(&e); },
        [](const std::exception& e, encoder& out) { traits<E>::encode(out, dynamic_cast<const E&>(e)); },
        [](decoder& in, const std::string& what, const exception_facts& facts) {
            auto make = traits<E>::decode(in, what);
            return carry<decltype(make())>(make, facts);
        },
        [](const std::exception& e, const exception_facts& facts) {
            return carry<E>([&]() -> const E& { return dynamic_cast<const E&>(e); }, facts);
        },
    };
}

} // namespace

std::span<const standard_exception> standard_exceptions() noexcept
{
    static const standard_exception all[]{
        // Boost.System's and ours
        entry<worker_died>(),
        entry<error>(),
        entry<boost::system::system_error>(),
        entry<remote_error>(),
        // std::system_error
        entry<std::filesystem::filesystem_error>(),
        entry<std::ios_base::failure>(),
        entry<std::system_error>(),
        // std::runtime_error
        entry<std::regex_error>(),
        entry<std::range_error>(),
        entry<std::overflow_error>(),
        entry<std::underflow_error>(),
#ifdef __cpp_lib_format
        entry<std::format_error>(),
#endif
        entry<std::runtime_error>(),
        // std::logic_error
        entry<std::future_error>(),
        entry<std::invalid_argument>(),
        entry<std::domain_error>(),
        entry<std::length_error>(),
        entry<std::out_of_range>(),
        entry<std::logic_error>(),
        // std::exception
        entry<std::bad_array_new_length>(),
        entry<std::bad_alloc>(),
        entry<std::bad_any_cast>(),
        entry<std::bad_cast>(),
        entry<std::bad_typeid>(),
        entry<std::bad_function_call>(),
        entry<std::bad_weak_ptr>(),
        entry<std::bad_exception>(),
        entry<std::bad_optional_access>(),
        entry<std::bad_variant_access>(),
        entry<std::exception>(),
    };
    return all;
}

std::size_t find_standard_exception(const std::exception& e) noexcept
{
    const auto all = standard_exceptions();
    std::size_t i = 0;
    while (i + 1 < all.size() && !all[i].matches(e))
        ++i;
    return i;
}

const standard_exception* exact_standard_exception(const std::type_info& type) noexcept
{
    for (const standard_exception& candidate : standard_exceptions()) {
        if (*candidate.id == type || (candidate.nested_id && *candidate.nested_id == type))
            return &candidate;
        // What libstdc++ throws in its place, so that programs of both its ABIs can catch it.
        if (*candidate.id == typeid(std::ios_base::failure) && std::string_view(type.name()) == "St13__ios_failure")
            return &candidate;
    }
    return nullptr;
}

} // namespace twat::mp::detail
