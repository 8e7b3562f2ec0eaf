// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_ASSOCIATIVE_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_ASSOCIATIVE_HPP

#include <twat/mp/detail/codec/codec_base.hpp>
#include <twat/mp/detail/codec/codec_sequences.hpp>

#include <map>
#include <queue>
#include <set>
#include <stack>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace twat::mp::detail {

/// Comparators and hash functions without state are made anew; others are values that are sent.
template <class F>
inline constexpr bool stateless = std::is_empty_v<F>&& std::is_default_constructible_v<F>;

template <class F>
void write_function_object(encoder& out, const F& f)
{
    if constexpr (!stateless<F>)
        out.write(f);
}

template <class F>
F read_function_object(decoder& in)
{
    if constexpr (stateless<F>)
        return F();
    else
        return in.read<F>();
}

template <class List, class... Fs>
struct with_function_objects;
template <class... Ts>
struct with_function_objects<type_list<Ts...>>
{
    using type = type_list<Ts...>;
};
template <class... Ts, class F, class... Fs>
struct with_function_objects<type_list<Ts...>, F, Fs...>
    : with_function_objects<std::conditional_t<stateless<F>, type_list<Ts...>, type_list<Ts..., F>>, Fs...>
{};

template <class Container>
concept hashed = requires
{
    typename Container::hasher;
};

template <class Container>
concept mapped = requires
{
    typename Container::mapped_type;
};

template <class Container>
struct associative_codec_base
{
    using value_type = typename Container::value_type;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);

    static void encode_elements(encoder& out, const Container& values)
    {
        write_elements<value_type>(out, values.size(), values);
    }

    static Container decode_elements(decoder& in, Container values)
    {
        const std::size_t count = read_count<value_type>(in);
        for (std::size_t i = 0; i != count; ++i) {
            if constexpr (mapped<Container>) {
                auto key = in.read<typename Container::key_type>();
                values.emplace_hint(values.end(), std::move(key), in.read<typename Container::mapped_type>());
            } else {
                values.emplace_hint(values.end(), in.read<value_type>());
            }
        }
        return values;
    }
};

template <class Container>
struct ordered_codec : associative_codec_base<Container>
{
    using compare = typename Container::key_compare;
    using parts = typename with_function_objects<type_list<typename Container::value_type>, compare>::type;

    static void encode(encoder& out, const Container& values)
    {
        write_function_object(out, values.key_comp());
        ordered_codec::encode_elements(out, values);
    }

    static Container decode(decoder& in)
    {
        return ordered_codec::decode_elements(in, Container(read_function_object<compare>(in)));
    }
};

template <class Container>
struct unordered_codec : associative_codec_base<Container>
{
    using hasher = typename Container::hasher;
    using key_equal = typename Container::key_equal;
    using parts = typename with_function_objects<type_list<typename Container::value_type>, hasher, key_equal>::type;

    static void encode(encoder& out, const Container& values)
    {
        write_function_object(out, values.hash_function());
        write_function_object(out, values.key_eq());
        unordered_codec::encode_elements(out, values);
    }

    static Container decode(decoder& in)
    {
        auto hash = read_function_object<hasher>(in);
        auto equal = read_function_object<key_equal>(in);
        return unordered_codec::decode_elements(in, Container(0, hash, equal));
    }
};

template <class K, class C, class A>
struct builtin_codec<std::set<K, C, A>> : ordered_codec<std::set<K, C, A>>
{};
template <class K, class C, class A>
struct builtin_codec<std::multiset<K, C, A>> : ordered_codec<std::multiset<K, C, A>>
{};
template <class K, class T, class C, class A>
struct builtin_codec<std::map<K, T, C, A>> : ordered_codec<std::map<K, T, C, A>>
{};
template <class K, class T, class C, class A>
struct builtin_codec<std::multimap<K, T, C, A>> : ordered_codec<std::multimap<K, T, C, A>>
{};
template <class K, class H, class E, class A>
struct builtin_codec<std::unordered_set<K, H, E, A>> : unordered_codec<std::unordered_set<K, H, E, A>>
{};
template <class K, class H, class E, class A>
struct builtin_codec<std::unordered_multiset<K, H, E, A>> : unordered_codec<std::unordered_multiset<K, H, E, A>>
{};
template <class K, class T, class H, class E, class A>
struct builtin_codec<std::unordered_map<K, T, H, E, A>> : unordered_codec<std::unordered_map<K, T, H, E, A>>
{};
template <class K, class T, class H, class E, class A>
struct builtin_codec<std::unordered_multimap<K, T, H, E, A>> : unordered_codec<std::unordered_multimap<K, T, H, E, A>>
{};

/// Stacks and queues hide their container in a protected member.
template <class Adaptor>
struct adaptor_access : Adaptor
{
    static const typename Adaptor::container_type& container(const Adaptor& adaptor)
    {
        return adaptor.*(&adaptor_access::c);
    }
    template <class T>
    static const auto& comparator(const T& queue)
    {
        return queue.*(&adaptor_access::comp);
    }
};

template <class Adaptor>
struct adaptor_codec
{
    using container_type = typename Adaptor::container_type;
    using parts = type_list<container_type>;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);

    static void encode(encoder& out, const Adaptor& value) { out.write(adaptor_access<Adaptor>::container(value)); }
    static Adaptor decode(decoder& in) { return Adaptor(in.read<container_type>()); }
};

template <class T, class C>
struct builtin_codec<std::stack<T, C>> : adaptor_codec<std::stack<T, C>>
{};
template <class T, class C>
struct builtin_codec<std::queue<T, C>> : adaptor_codec<std::queue<T, C>>
{};

template <class T, class C, class Compare>
struct builtin_codec<std::priority_queue<T, C, Compare>>
{
    using queue = std::priority_queue<T, C, Compare>;
    using parts = typename with_function_objects<type_list<C>, Compare>::type;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);

    static void encode(encoder& out, const queue& value)
    {
        write_function_object(out, adaptor_access<queue>::comparator(value));
        out.write(adaptor_access<queue>::container(value));
    }

    static queue decode(decoder& in)
    {
        auto compare = read_function_object<Compare>(in);
        return queue(compare, in.read<C>());
    }
};

} // namespace twat::mp::detail

#endif
