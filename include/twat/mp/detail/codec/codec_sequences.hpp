// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_SEQUENCES_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_SEQUENCES_HPP

#include <twat/mp/detail/codec/codec_base.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace twat::mp::detail {

/// Reads `T`s that lie in bytes without alignment; lets a container fill itself in one pass.
template <class T>
class raw_iterator
{
public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = T;

    explicit raw_iterator(const std::byte* at) : at_(at) {}

    T operator*() const
    {
        std::array<std::byte, sizeof(T)> bytes;
        std::memcpy(bytes.data(), at_, sizeof(T));
        return std::bit_cast<T>(bytes);
    }
    T operator[](difference_type i) const { return *(*this + i); }
    raw_iterator& operator+=(difference_type n)
    {
        at_ += n * static_cast<difference_type>(sizeof(T));
        return *this;
    }
    raw_iterator& operator-=(difference_type n) { return *this += -n; }
    raw_iterator& operator++() { return *this += 1; }
    raw_iterator& operator--() { return *this -= 1; }
    raw_iterator operator++(int) { return std::exchange(*this, *this + 1); }
    raw_iterator operator--(int) { return std::exchange(*this, *this - 1); }
    friend raw_iterator operator+(raw_iterator i, difference_type n) { return i += n; }
    friend raw_iterator operator+(difference_type n, raw_iterator i) { return i += n; }
    friend raw_iterator operator-(raw_iterator i, difference_type n) { return i -= n; }
    friend difference_type operator-(raw_iterator a, raw_iterator b)
    {
        return (a.at_ - b.at_) / static_cast<difference_type>(sizeof(T));
    }
    friend bool operator==(raw_iterator a, raw_iterator b) { return a.at_ == b.at_; }
    friend auto operator<=>(raw_iterator a, raw_iterator b) { return a.at_ <=> b.at_; }

private:
    const std::byte* at_;
};

/// Writes the number of elements. Elements that may take no bytes get one each, so that a length can always be checked.
template <class T>
void write_count(encoder& out, std::size_t count)
{
    write_length(out, count);
    if constexpr (min_size<T>() == 0) {
        if (count != 0)
            std::memset(out.extend(count), 0, count);
    }
}

template <class T>
std::size_t read_count(decoder& in)
{
    const std::size_t count = in.read_length(std::max<std::size_t>(min_size<T>(), 1));
    if constexpr (min_size<T>() == 0)
        in.read_bytes(count);
    return count;
}

/// How many elements to make room for at first. Small encodings of large objects must not reserve memory by the gigabyte.
template <class T>
std::size_t first_capacity(const decoder& in, std::size_t count)
{
    return std::min(count, std::max<std::size_t>(16, in.remaining() / sizeof(T) * 4));
}

template <class T, class Container>
void write_elements(encoder& out, std::size_t count, const Container& values)
{
    write_count<T>(out, count);
    for (const T& value : values)
        out.write(value);
}

template <class C, class Traits, class Allocator>
struct builtin_codec<std::basic_string<C, Traits, Allocator>>
{
    using parts = type_list<C>;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);
    using string = std::basic_string<C, Traits, Allocator>;

    static void encode(encoder& out, const string& value)
    {
        static_assert(bytewise<C>);
        write_length(out, value.size());
        out.write_bytes(value.data(), value.size() * sizeof(C));
    }

    static string decode(decoder& in)
    {
        const std::size_t count = in.read_length(sizeof(C));
        const std::byte* from = in.read_bytes(count * sizeof(C));
        if constexpr (sizeof(C) == 1) {
            const C* const first = reinterpret_cast<const C*>(from);
            if (count < large_pages_from)
                return string(first, count);
            string value;
            value.reserve(count);
            prefer_large_pages(value.data(), count);
            value.append(first, count);
            return value;
        } else
            return string(raw_iterator<C>(from), raw_iterator<C>(from + count * sizeof(C)));
    }
};

template <class T, class Allocator>
struct builtin_codec<std::vector<T, Allocator>>
{
    using parts = type_list<T>;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);
    using vector = std::vector<T, Allocator>;

    static void encode(encoder& out, const vector& values)
    {
        if constexpr (bytewise<T>) {
            write_length(out, values.size());
            out.write_bytes(values.data(), values.size() * sizeof(T));
        } else {
            write_elements<T>(out, values.size(), values);
        }
    }

    static vector decode(decoder& in)
    {
        if constexpr (bytewise<T>) {
            const std::size_t count = in.read_length(sizeof(T));
            const std::byte* from = in.read_bytes(count * sizeof(T));
            if (reinterpret_cast<std::uintptr_t>(from) % alignof(T) == 0) {
                const T* first = reinterpret_cast<const T*>(from);
                if (count * sizeof(T) < large_pages_from)
                    return vector(first, first + count);
                vector values;
                values.reserve(count);
                prefer_large_pages(values.data(), count * sizeof(T));
                values.insert(values.end(), first, first + count);
                return values;
            }
            return vector(raw_iterator<T>(from), raw_iterator<T>(from + count * sizeof(T)));
        } else {
            const std::size_t count = read_count<T>(in);
            vector values;
            values.reserve(first_capacity<T>(in, count));
            for (std::size_t i = 0; i != count; ++i)
                values.push_back(in.read<T>());
            return values;
        }
    }
};

/// Eight to the byte.
template <class Allocator>
struct builtin_codec<std::vector<bool, Allocator>>
{
    using parts = type_list<>;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);
    using vector = std::vector<bool, Allocator>;

    static void encode(encoder& out, const vector& values)
    {
        write_length(out, values.size());
        std::byte* to = out.extend((values.size() + 7) / 8);
        for (std::size_t i = 0; i < values.size(); i += 8, ++to) {
            unsigned bits = 0;
            for (std::size_t j = 0; j < 8 && i + j < values.size(); ++j)
                bits |= static_cast<unsigned>(values[i + j]) << j;
            *to = static_cast<std::byte>(bits);
        }
    }

    static vector decode(decoder& in)
    {
        const auto count = read_raw<std::uint64_t>(in);
        if (count / 8 > in.remaining())
            throw_bad_bytes("a length exceeds the bytes that are left");
        const std::byte* from = in.read_bytes(static_cast<std::size_t>(count / 8 + (count % 8 != 0)));
        vector values(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = (std::to_integer<unsigned>(from[i / 8]) >> (i % 8) & 1) != 0;
        return values;
    }
};

template <class Sequence>
struct sequence_codec
{
    using value_type = typename Sequence::value_type;
    using parts = type_list<value_type>;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);

    static void encode(encoder& out, const Sequence& values)
    {
        write_elements<value_type>(out, static_cast<std::size_t>(std::distance(values.begin(), values.end())), values);
    }

    static Sequence decode(decoder& in)
    {
        const std::size_t count = read_count<value_type>(in);
        Sequence values;
        if constexpr (requires { values.push_back(in.read<value_type>()); }) {
            for (std::size_t i = 0; i != count; ++i)
                values.push_back(in.read<value_type>());
        } else {
            auto last = values.before_begin();
            for (std::size_t i = 0; i != count; ++i)
                last = values.insert_after(last, in.read<value_type>());
        }
        return values;
    }
};

template <class T, class Allocator>
struct builtin_codec<std::deque<T, Allocator>> : sequence_codec<std::deque<T, Allocator>>
{};
template <class T, class Allocator>
struct builtin_codec<std::list<T, Allocator>> : sequence_codec<std::list<T, Allocator>>
{};
template <class T, class Allocator>
struct builtin_codec<std::forward_list<T, Allocator>> : sequence_codec<std::forward_list<T, Allocator>>
{};

} // namespace twat::mp::detail

#endif
