// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_WITH_MEMBERS_HPP
#define TWAT_MP_DETAIL_CODEC_WITH_MEMBERS_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/codec_base.hpp>

#include <cstddef>
#include <type_traits>

// References to the members of an aggregate: a function for each number of members, as C++20 has no bindings without number.
//
// Every translation unit parses them, so each name stands as seldom as can be, and the macros are flat: with those of Boost.Preprocessor
// this header took 0.4 s and 127 MB of g++ 12, which remembers for each token through which macros it came. So it takes 0.1 s and 12 MB.

namespace twat::mp::detail {

template <std::size_t N>
using size_constant = std::integral_constant<std::size_t, N>;

/// As `f` of `with_members`: the types of the members instead of a call.
struct list_types
{};

/// As `f` of `with_members`: whether references bind to all members, which they do not to bit-fields.
struct try_to_bind
{};

template <class... M>
void bind_references(M&...);

template <class T, class F>
constexpr decltype(auto) with_members(T&, F&& f, size_constant<0>)
{
    if constexpr (std::is_same_v<F, list_types>)
        return type_list<>();
    else
        return f();
}

#if defined(__clang__) && __clang_major__ < 16
// These know no bindings inside a requires expression. Without an answer, members are written one by one, to the same bytes.
#define TWAT_MP_DETAIL_BIND(...) std::has_unique_object_representations_v<T>
#else
#define TWAT_MP_DETAIL_BIND(...)                                                                                       \
    requires { detail::bind_references(__VA_ARGS__); }
#endif
// clang-format off
#define TWAT_MP_DETAIL_NAMES_10 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9
#define TWAT_MP_DETAIL_TYPES_10 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9)
#define TWAT_MP_DETAIL_NAMES_20 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19
#define TWAT_MP_DETAIL_TYPES_20 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19)
#define TWAT_MP_DETAIL_NAMES_30 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29
#define TWAT_MP_DETAIL_TYPES_30 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29)
#define TWAT_MP_DETAIL_NAMES_40 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39
#define TWAT_MP_DETAIL_TYPES_40 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29), decltype(m30), decltype(m31), decltype(m32), \
    decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38), decltype(m39)
#define TWAT_MP_DETAIL_NAMES_50 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47, m48, m49
#define TWAT_MP_DETAIL_TYPES_50 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29), decltype(m30), decltype(m31), decltype(m32), \
    decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38), decltype(m39), decltype(m40), \
    decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48), \
    decltype(m49)
#define TWAT_MP_DETAIL_NAMES_60 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47, m48, m49, m50, m51, m52, m53, \
    m54, m55, m56, m57, m58, m59
#define TWAT_MP_DETAIL_TYPES_60 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29), decltype(m30), decltype(m31), decltype(m32), \
    decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38), decltype(m39), decltype(m40), \
    decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48), \
    decltype(m49), decltype(m50), decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), \
    decltype(m57), decltype(m58), decltype(m59)
#define TWAT_MP_DETAIL_NAMES_70 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47, m48, m49, m50, m51, m52, m53, \
    m54, m55, m56, m57, m58, m59, m60, m61, m62, m63, m64, m65, m66, m67, m68, m69
#define TWAT_MP_DETAIL_TYPES_70 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29), decltype(m30), decltype(m31), decltype(m32), \
    decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38), decltype(m39), decltype(m40), \
    decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48), \
    decltype(m49), decltype(m50), decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), \
    decltype(m57), decltype(m58), decltype(m59), decltype(m60), decltype(m61), decltype(m62), decltype(m63), decltype(m64), \
    decltype(m65), decltype(m66), decltype(m67), decltype(m68), decltype(m69)
#define TWAT_MP_DETAIL_NAMES_80 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47, m48, m49, m50, m51, m52, m53, \
    m54, m55, m56, m57, m58, m59, m60, m61, m62, m63, m64, m65, m66, m67, m68, m69, m70, m71, m72, m73, m74, m75, m76, m77, m78, m79
#define TWAT_MP_DETAIL_TYPES_80 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29), decltype(m30), decltype(m31), decltype(m32), \
    decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38), decltype(m39), decltype(m40), \
    decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48), \
    decltype(m49), decltype(m50), decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), \
    decltype(m57), decltype(m58), decltype(m59), decltype(m60), decltype(m61), decltype(m62), decltype(m63), decltype(m64), \
    decltype(m65), decltype(m66), decltype(m67), decltype(m68), decltype(m69), decltype(m70), decltype(m71), decltype(m72), \
    decltype(m73), decltype(m74), decltype(m75), decltype(m76), decltype(m77), decltype(m78), decltype(m79)
#define TWAT_MP_DETAIL_NAMES_90 \
    m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, \
    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47, m48, m49, m50, m51, m52, m53, \
    m54, m55, m56, m57, m58, m59, m60, m61, m62, m63, m64, m65, m66, m67, m68, m69, m70, m71, m72, m73, m74, m75, m76, m77, m78, m79, \
    m80, m81, m82, m83, m84, m85, m86, m87, m88, m89
#define TWAT_MP_DETAIL_TYPES_90 \
    decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), \
    decltype(m9), decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), \
    decltype(m17), decltype(m18), decltype(m19), decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), \
    decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29), decltype(m30), decltype(m31), decltype(m32), \
    decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38), decltype(m39), decltype(m40), \
    decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48), \
    decltype(m49), decltype(m50), decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), \
    decltype(m57), decltype(m58), decltype(m59), decltype(m60), decltype(m61), decltype(m62), decltype(m63), decltype(m64), \
    decltype(m65), decltype(m66), decltype(m67), decltype(m68), decltype(m69), decltype(m70), decltype(m71), decltype(m72), \
    decltype(m73), decltype(m74), decltype(m75), decltype(m76), decltype(m77), decltype(m78), decltype(m79), decltype(m80), \
    decltype(m81), decltype(m82), decltype(m83), decltype(m84), decltype(m85), decltype(m86), decltype(m87), decltype(m88), \
    decltype(m89)
#define TWAT_MP_DETAIL_UNPACK(...) __VA_ARGS__
#define TWAT_MP_DETAIL_MEMBERS(n, names, types) \
    template <class T, class F> \
    constexpr decltype(auto) with_members(T& value, F&& f, size_constant<n>) \
    { \
        [[maybe_unused]] auto& [TWAT_MP_DETAIL_UNPACK names] = value; \
        if constexpr (std::is_same_v<F, list_types>) \
            return type_list<TWAT_MP_DETAIL_UNPACK types>(); \
        else if constexpr (std::is_same_v<F, try_to_bind>) \
            return std::bool_constant<TWAT_MP_DETAIL_BIND(TWAT_MP_DETAIL_UNPACK names)>(); \
        else \
            return f(TWAT_MP_DETAIL_UNPACK names); \
    }

TWAT_MP_DETAIL_MEMBERS(1, (m0), (decltype(m0)))
TWAT_MP_DETAIL_MEMBERS(2, (m0, m1), (decltype(m0), decltype(m1)))
TWAT_MP_DETAIL_MEMBERS(3, (m0, m1, m2), (decltype(m0), decltype(m1), decltype(m2)))
TWAT_MP_DETAIL_MEMBERS(4, (m0, m1, m2, m3), (decltype(m0), decltype(m1), decltype(m2), decltype(m3)))
TWAT_MP_DETAIL_MEMBERS(5, (m0, m1, m2, m3, m4), (decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4)))
TWAT_MP_DETAIL_MEMBERS(6, (m0, m1, m2, m3, m4, m5), (decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
decltype(m5)))
TWAT_MP_DETAIL_MEMBERS(7, (m0, m1, m2, m3, m4, m5, m6), (decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
decltype(m5), decltype(m6)))
TWAT_MP_DETAIL_MEMBERS(8, (m0, m1, m2, m3, m4, m5, m6, m7), (decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
decltype(m5), decltype(m6), decltype(m7)))
TWAT_MP_DETAIL_MEMBERS(9, (m0, m1, m2, m3, m4, m5, m6, m7, m8), (decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
decltype(m5), decltype(m6), decltype(m7), decltype(m8)))
TWAT_MP_DETAIL_MEMBERS(10, (m0, m1, m2, m3, m4, m5, m6, m7, m8, m9), (decltype(m0), decltype(m1), decltype(m2), decltype(m3),
decltype(m4), decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9)))
TWAT_MP_DETAIL_MEMBERS(11, (TWAT_MP_DETAIL_NAMES_10, m10), (TWAT_MP_DETAIL_TYPES_10, decltype(m10)))
TWAT_MP_DETAIL_MEMBERS(12, (TWAT_MP_DETAIL_NAMES_10, m10, m11), (TWAT_MP_DETAIL_TYPES_10, decltype(m10), decltype(m11)))
TWAT_MP_DETAIL_MEMBERS(13, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12), (TWAT_MP_DETAIL_TYPES_10, decltype(m10), decltype(m11),
decltype(m12)))
TWAT_MP_DETAIL_MEMBERS(14, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13), (TWAT_MP_DETAIL_TYPES_10, decltype(m10), decltype(m11),
decltype(m12), decltype(m13)))
TWAT_MP_DETAIL_MEMBERS(15, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13, m14), (TWAT_MP_DETAIL_TYPES_10, decltype(m10), decltype(m11),
decltype(m12), decltype(m13), decltype(m14)))
TWAT_MP_DETAIL_MEMBERS(16, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13, m14, m15), (TWAT_MP_DETAIL_TYPES_10, decltype(m10),
decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15)))
TWAT_MP_DETAIL_MEMBERS(17, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13, m14, m15, m16), (TWAT_MP_DETAIL_TYPES_10, decltype(m10),
decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16)))
TWAT_MP_DETAIL_MEMBERS(18, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13, m14, m15, m16, m17), (TWAT_MP_DETAIL_TYPES_10, decltype(m10),
decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), decltype(m17)))
TWAT_MP_DETAIL_MEMBERS(19, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13, m14, m15, m16, m17, m18), (TWAT_MP_DETAIL_TYPES_10,
decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18)))
TWAT_MP_DETAIL_MEMBERS(20, (TWAT_MP_DETAIL_NAMES_10, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19), (TWAT_MP_DETAIL_TYPES_10,
decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15), decltype(m16), decltype(m17), decltype(m18),
decltype(m19)))
TWAT_MP_DETAIL_MEMBERS(21, (TWAT_MP_DETAIL_NAMES_20, m20), (TWAT_MP_DETAIL_TYPES_20, decltype(m20)))
TWAT_MP_DETAIL_MEMBERS(22, (TWAT_MP_DETAIL_NAMES_20, m20, m21), (TWAT_MP_DETAIL_TYPES_20, decltype(m20), decltype(m21)))
TWAT_MP_DETAIL_MEMBERS(23, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22), (TWAT_MP_DETAIL_TYPES_20, decltype(m20), decltype(m21),
decltype(m22)))
TWAT_MP_DETAIL_MEMBERS(24, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23), (TWAT_MP_DETAIL_TYPES_20, decltype(m20), decltype(m21),
decltype(m22), decltype(m23)))
TWAT_MP_DETAIL_MEMBERS(25, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23, m24), (TWAT_MP_DETAIL_TYPES_20, decltype(m20), decltype(m21),
decltype(m22), decltype(m23), decltype(m24)))
TWAT_MP_DETAIL_MEMBERS(26, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23, m24, m25), (TWAT_MP_DETAIL_TYPES_20, decltype(m20),
decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25)))
TWAT_MP_DETAIL_MEMBERS(27, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23, m24, m25, m26), (TWAT_MP_DETAIL_TYPES_20, decltype(m20),
decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26)))
TWAT_MP_DETAIL_MEMBERS(28, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23, m24, m25, m26, m27), (TWAT_MP_DETAIL_TYPES_20, decltype(m20),
decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27)))
TWAT_MP_DETAIL_MEMBERS(29, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23, m24, m25, m26, m27, m28), (TWAT_MP_DETAIL_TYPES_20,
decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27), decltype(m28)))
TWAT_MP_DETAIL_MEMBERS(30, (TWAT_MP_DETAIL_NAMES_20, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29), (TWAT_MP_DETAIL_TYPES_20,
decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24), decltype(m25), decltype(m26), decltype(m27), decltype(m28),
decltype(m29)))
TWAT_MP_DETAIL_MEMBERS(31, (TWAT_MP_DETAIL_NAMES_30, m30), (TWAT_MP_DETAIL_TYPES_30, decltype(m30)))
TWAT_MP_DETAIL_MEMBERS(32, (TWAT_MP_DETAIL_NAMES_30, m30, m31), (TWAT_MP_DETAIL_TYPES_30, decltype(m30), decltype(m31)))
TWAT_MP_DETAIL_MEMBERS(33, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32), (TWAT_MP_DETAIL_TYPES_30, decltype(m30), decltype(m31),
decltype(m32)))
TWAT_MP_DETAIL_MEMBERS(34, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33), (TWAT_MP_DETAIL_TYPES_30, decltype(m30), decltype(m31),
decltype(m32), decltype(m33)))
TWAT_MP_DETAIL_MEMBERS(35, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33, m34), (TWAT_MP_DETAIL_TYPES_30, decltype(m30), decltype(m31),
decltype(m32), decltype(m33), decltype(m34)))
TWAT_MP_DETAIL_MEMBERS(36, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33, m34, m35), (TWAT_MP_DETAIL_TYPES_30, decltype(m30),
decltype(m31), decltype(m32), decltype(m33), decltype(m34), decltype(m35)))
TWAT_MP_DETAIL_MEMBERS(37, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33, m34, m35, m36), (TWAT_MP_DETAIL_TYPES_30, decltype(m30),
decltype(m31), decltype(m32), decltype(m33), decltype(m34), decltype(m35), decltype(m36)))
TWAT_MP_DETAIL_MEMBERS(38, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33, m34, m35, m36, m37), (TWAT_MP_DETAIL_TYPES_30, decltype(m30),
decltype(m31), decltype(m32), decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37)))
TWAT_MP_DETAIL_MEMBERS(39, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33, m34, m35, m36, m37, m38), (TWAT_MP_DETAIL_TYPES_30,
decltype(m30), decltype(m31), decltype(m32), decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38)))
TWAT_MP_DETAIL_MEMBERS(40, (TWAT_MP_DETAIL_NAMES_30, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39), (TWAT_MP_DETAIL_TYPES_30,
decltype(m30), decltype(m31), decltype(m32), decltype(m33), decltype(m34), decltype(m35), decltype(m36), decltype(m37), decltype(m38),
decltype(m39)))
TWAT_MP_DETAIL_MEMBERS(41, (TWAT_MP_DETAIL_NAMES_40, m40), (TWAT_MP_DETAIL_TYPES_40, decltype(m40)))
TWAT_MP_DETAIL_MEMBERS(42, (TWAT_MP_DETAIL_NAMES_40, m40, m41), (TWAT_MP_DETAIL_TYPES_40, decltype(m40), decltype(m41)))
TWAT_MP_DETAIL_MEMBERS(43, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42), (TWAT_MP_DETAIL_TYPES_40, decltype(m40), decltype(m41),
decltype(m42)))
TWAT_MP_DETAIL_MEMBERS(44, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43), (TWAT_MP_DETAIL_TYPES_40, decltype(m40), decltype(m41),
decltype(m42), decltype(m43)))
TWAT_MP_DETAIL_MEMBERS(45, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43, m44), (TWAT_MP_DETAIL_TYPES_40, decltype(m40), decltype(m41),
decltype(m42), decltype(m43), decltype(m44)))
TWAT_MP_DETAIL_MEMBERS(46, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43, m44, m45), (TWAT_MP_DETAIL_TYPES_40, decltype(m40),
decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45)))
TWAT_MP_DETAIL_MEMBERS(47, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43, m44, m45, m46), (TWAT_MP_DETAIL_TYPES_40, decltype(m40),
decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46)))
TWAT_MP_DETAIL_MEMBERS(48, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43, m44, m45, m46, m47), (TWAT_MP_DETAIL_TYPES_40, decltype(m40),
decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47)))
TWAT_MP_DETAIL_MEMBERS(49, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43, m44, m45, m46, m47, m48), (TWAT_MP_DETAIL_TYPES_40,
decltype(m40), decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48)))
TWAT_MP_DETAIL_MEMBERS(50, (TWAT_MP_DETAIL_NAMES_40, m40, m41, m42, m43, m44, m45, m46, m47, m48, m49), (TWAT_MP_DETAIL_TYPES_40,
decltype(m40), decltype(m41), decltype(m42), decltype(m43), decltype(m44), decltype(m45), decltype(m46), decltype(m47), decltype(m48),
decltype(m49)))
TWAT_MP_DETAIL_MEMBERS(51, (TWAT_MP_DETAIL_NAMES_50, m50), (TWAT_MP_DETAIL_TYPES_50, decltype(m50)))
TWAT_MP_DETAIL_MEMBERS(52, (TWAT_MP_DETAIL_NAMES_50, m50, m51), (TWAT_MP_DETAIL_TYPES_50, decltype(m50), decltype(m51)))
TWAT_MP_DETAIL_MEMBERS(53, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52), (TWAT_MP_DETAIL_TYPES_50, decltype(m50), decltype(m51),
decltype(m52)))
TWAT_MP_DETAIL_MEMBERS(54, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53), (TWAT_MP_DETAIL_TYPES_50, decltype(m50), decltype(m51),
decltype(m52), decltype(m53)))
TWAT_MP_DETAIL_MEMBERS(55, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53, m54), (TWAT_MP_DETAIL_TYPES_50, decltype(m50), decltype(m51),
decltype(m52), decltype(m53), decltype(m54)))
TWAT_MP_DETAIL_MEMBERS(56, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53, m54, m55), (TWAT_MP_DETAIL_TYPES_50, decltype(m50),
decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55)))
TWAT_MP_DETAIL_MEMBERS(57, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53, m54, m55, m56), (TWAT_MP_DETAIL_TYPES_50, decltype(m50),
decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56)))
TWAT_MP_DETAIL_MEMBERS(58, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53, m54, m55, m56, m57), (TWAT_MP_DETAIL_TYPES_50, decltype(m50),
decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), decltype(m57)))
TWAT_MP_DETAIL_MEMBERS(59, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53, m54, m55, m56, m57, m58), (TWAT_MP_DETAIL_TYPES_50,
decltype(m50), decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), decltype(m57), decltype(m58)))
TWAT_MP_DETAIL_MEMBERS(60, (TWAT_MP_DETAIL_NAMES_50, m50, m51, m52, m53, m54, m55, m56, m57, m58, m59), (TWAT_MP_DETAIL_TYPES_50,
decltype(m50), decltype(m51), decltype(m52), decltype(m53), decltype(m54), decltype(m55), decltype(m56), decltype(m57), decltype(m58),
decltype(m59)))
TWAT_MP_DETAIL_MEMBERS(61, (TWAT_MP_DETAIL_NAMES_60, m60), (TWAT_MP_DETAIL_TYPES_60, decltype(m60)))
TWAT_MP_DETAIL_MEMBERS(62, (TWAT_MP_DETAIL_NAMES_60, m60, m61), (TWAT_MP_DETAIL_TYPES_60, decltype(m60), decltype(m61)))
TWAT_MP_DETAIL_MEMBERS(63, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62), (TWAT_MP_DETAIL_TYPES_60, decltype(m60), decltype(m61),
decltype(m62)))
TWAT_MP_DETAIL_MEMBERS(64, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63), (TWAT_MP_DETAIL_TYPES_60, decltype(m60), decltype(m61),
decltype(m62), decltype(m63)))
TWAT_MP_DETAIL_MEMBERS(65, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63, m64), (TWAT_MP_DETAIL_TYPES_60, decltype(m60), decltype(m61),
decltype(m62), decltype(m63), decltype(m64)))
TWAT_MP_DETAIL_MEMBERS(66, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63, m64, m65), (TWAT_MP_DETAIL_TYPES_60, decltype(m60),
decltype(m61), decltype(m62), decltype(m63), decltype(m64), decltype(m65)))
TWAT_MP_DETAIL_MEMBERS(67, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63, m64, m65, m66), (TWAT_MP_DETAIL_TYPES_60, decltype(m60),
decltype(m61), decltype(m62), decltype(m63), decltype(m64), decltype(m65), decltype(m66)))
TWAT_MP_DETAIL_MEMBERS(68, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63, m64, m65, m66, m67), (TWAT_MP_DETAIL_TYPES_60, decltype(m60),
decltype(m61), decltype(m62), decltype(m63), decltype(m64), decltype(m65), decltype(m66), decltype(m67)))
TWAT_MP_DETAIL_MEMBERS(69, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63, m64, m65, m66, m67, m68), (TWAT_MP_DETAIL_TYPES_60,
decltype(m60), decltype(m61), decltype(m62), decltype(m63), decltype(m64), decltype(m65), decltype(m66), decltype(m67), decltype(m68)))
TWAT_MP_DETAIL_MEMBERS(70, (TWAT_MP_DETAIL_NAMES_60, m60, m61, m62, m63, m64, m65, m66, m67, m68, m69), (TWAT_MP_DETAIL_TYPES_60,
decltype(m60), decltype(m61), decltype(m62), decltype(m63), decltype(m64), decltype(m65), decltype(m66), decltype(m67), decltype(m68),
decltype(m69)))
TWAT_MP_DETAIL_MEMBERS(71, (TWAT_MP_DETAIL_NAMES_70, m70), (TWAT_MP_DETAIL_TYPES_70, decltype(m70)))
TWAT_MP_DETAIL_MEMBERS(72, (TWAT_MP_DETAIL_NAMES_70, m70, m71), (TWAT_MP_DETAIL_TYPES_70, decltype(m70), decltype(m71)))
TWAT_MP_DETAIL_MEMBERS(73, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72), (TWAT_MP_DETAIL_TYPES_70, decltype(m70), decltype(m71),
decltype(m72)))
TWAT_MP_DETAIL_MEMBERS(74, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73), (TWAT_MP_DETAIL_TYPES_70, decltype(m70), decltype(m71),
decltype(m72), decltype(m73)))
TWAT_MP_DETAIL_MEMBERS(75, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73, m74), (TWAT_MP_DETAIL_TYPES_70, decltype(m70), decltype(m71),
decltype(m72), decltype(m73), decltype(m74)))
TWAT_MP_DETAIL_MEMBERS(76, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73, m74, m75), (TWAT_MP_DETAIL_TYPES_70, decltype(m70),
decltype(m71), decltype(m72), decltype(m73), decltype(m74), decltype(m75)))
TWAT_MP_DETAIL_MEMBERS(77, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73, m74, m75, m76), (TWAT_MP_DETAIL_TYPES_70, decltype(m70),
decltype(m71), decltype(m72), decltype(m73), decltype(m74), decltype(m75), decltype(m76)))
TWAT_MP_DETAIL_MEMBERS(78, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73, m74, m75, m76, m77), (TWAT_MP_DETAIL_TYPES_70, decltype(m70),
decltype(m71), decltype(m72), decltype(m73), decltype(m74), decltype(m75), decltype(m76), decltype(m77)))
TWAT_MP_DETAIL_MEMBERS(79, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73, m74, m75, m76, m77, m78), (TWAT_MP_DETAIL_TYPES_70,
decltype(m70), decltype(m71), decltype(m72), decltype(m73), decltype(m74), decltype(m75), decltype(m76), decltype(m77), decltype(m78)))
TWAT_MP_DETAIL_MEMBERS(80, (TWAT_MP_DETAIL_NAMES_70, m70, m71, m72, m73, m74, m75, m76, m77, m78, m79), (TWAT_MP_DETAIL_TYPES_70,
decltype(m70), decltype(m71), decltype(m72), decltype(m73), decltype(m74), decltype(m75), decltype(m76), decltype(m77), decltype(m78),
decltype(m79)))
TWAT_MP_DETAIL_MEMBERS(81, (TWAT_MP_DETAIL_NAMES_80, m80), (TWAT_MP_DETAIL_TYPES_80, decltype(m80)))
TWAT_MP_DETAIL_MEMBERS(82, (TWAT_MP_DETAIL_NAMES_80, m80, m81), (TWAT_MP_DETAIL_TYPES_80, decltype(m80), decltype(m81)))
TWAT_MP_DETAIL_MEMBERS(83, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82), (TWAT_MP_DETAIL_TYPES_80, decltype(m80), decltype(m81),
decltype(m82)))
TWAT_MP_DETAIL_MEMBERS(84, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83), (TWAT_MP_DETAIL_TYPES_80, decltype(m80), decltype(m81),
decltype(m82), decltype(m83)))
TWAT_MP_DETAIL_MEMBERS(85, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83, m84), (TWAT_MP_DETAIL_TYPES_80, decltype(m80), decltype(m81),
decltype(m82), decltype(m83), decltype(m84)))
TWAT_MP_DETAIL_MEMBERS(86, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83, m84, m85), (TWAT_MP_DETAIL_TYPES_80, decltype(m80),
decltype(m81), decltype(m82), decltype(m83), decltype(m84), decltype(m85)))
TWAT_MP_DETAIL_MEMBERS(87, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83, m84, m85, m86), (TWAT_MP_DETAIL_TYPES_80, decltype(m80),
decltype(m81), decltype(m82), decltype(m83), decltype(m84), decltype(m85), decltype(m86)))
TWAT_MP_DETAIL_MEMBERS(88, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83, m84, m85, m86, m87), (TWAT_MP_DETAIL_TYPES_80, decltype(m80),
decltype(m81), decltype(m82), decltype(m83), decltype(m84), decltype(m85), decltype(m86), decltype(m87)))
TWAT_MP_DETAIL_MEMBERS(89, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83, m84, m85, m86, m87, m88), (TWAT_MP_DETAIL_TYPES_80,
decltype(m80), decltype(m81), decltype(m82), decltype(m83), decltype(m84), decltype(m85), decltype(m86), decltype(m87), decltype(m88)))
TWAT_MP_DETAIL_MEMBERS(90, (TWAT_MP_DETAIL_NAMES_80, m80, m81, m82, m83, m84, m85, m86, m87, m88, m89), (TWAT_MP_DETAIL_TYPES_80,
decltype(m80), decltype(m81), decltype(m82), decltype(m83), decltype(m84), decltype(m85), decltype(m86), decltype(m87), decltype(m88),
decltype(m89)))
TWAT_MP_DETAIL_MEMBERS(91, (TWAT_MP_DETAIL_NAMES_90, m90), (TWAT_MP_DETAIL_TYPES_90, decltype(m90)))
TWAT_MP_DETAIL_MEMBERS(92, (TWAT_MP_DETAIL_NAMES_90, m90, m91), (TWAT_MP_DETAIL_TYPES_90, decltype(m90), decltype(m91)))
TWAT_MP_DETAIL_MEMBERS(93, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92), (TWAT_MP_DETAIL_TYPES_90, decltype(m90), decltype(m91),
decltype(m92)))
TWAT_MP_DETAIL_MEMBERS(94, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93), (TWAT_MP_DETAIL_TYPES_90, decltype(m90), decltype(m91),
decltype(m92), decltype(m93)))
TWAT_MP_DETAIL_MEMBERS(95, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93, m94), (TWAT_MP_DETAIL_TYPES_90, decltype(m90), decltype(m91),
decltype(m92), decltype(m93), decltype(m94)))
TWAT_MP_DETAIL_MEMBERS(96, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93, m94, m95), (TWAT_MP_DETAIL_TYPES_90, decltype(m90),
decltype(m91), decltype(m92), decltype(m93), decltype(m94), decltype(m95)))
TWAT_MP_DETAIL_MEMBERS(97, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93, m94, m95, m96), (TWAT_MP_DETAIL_TYPES_90, decltype(m90),
decltype(m91), decltype(m92), decltype(m93), decltype(m94), decltype(m95), decltype(m96)))
TWAT_MP_DETAIL_MEMBERS(98, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93, m94, m95, m96, m97), (TWAT_MP_DETAIL_TYPES_90, decltype(m90),
decltype(m91), decltype(m92), decltype(m93), decltype(m94), decltype(m95), decltype(m96), decltype(m97)))
TWAT_MP_DETAIL_MEMBERS(99, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93, m94, m95, m96, m97, m98), (TWAT_MP_DETAIL_TYPES_90,
decltype(m90), decltype(m91), decltype(m92), decltype(m93), decltype(m94), decltype(m95), decltype(m96), decltype(m97), decltype(m98)))
TWAT_MP_DETAIL_MEMBERS(100, (TWAT_MP_DETAIL_NAMES_90, m90, m91, m92, m93, m94, m95, m96, m97, m98, m99), (TWAT_MP_DETAIL_TYPES_90,
decltype(m90), decltype(m91), decltype(m92), decltype(m93), decltype(m94), decltype(m95), decltype(m96), decltype(m97), decltype(m98),
decltype(m99)))
// clang-format on
#undef TWAT_MP_DETAIL_MEMBERS
#undef TWAT_MP_DETAIL_UNPACK
#undef TWAT_MP_DETAIL_NAMES_10
#undef TWAT_MP_DETAIL_NAMES_20
#undef TWAT_MP_DETAIL_NAMES_30
#undef TWAT_MP_DETAIL_NAMES_40
#undef TWAT_MP_DETAIL_NAMES_50
#undef TWAT_MP_DETAIL_NAMES_60
#undef TWAT_MP_DETAIL_NAMES_70
#undef TWAT_MP_DETAIL_NAMES_80
#undef TWAT_MP_DETAIL_NAMES_90
#undef TWAT_MP_DETAIL_TYPES_10
#undef TWAT_MP_DETAIL_TYPES_20
#undef TWAT_MP_DETAIL_TYPES_30
#undef TWAT_MP_DETAIL_TYPES_40
#undef TWAT_MP_DETAIL_TYPES_50
#undef TWAT_MP_DETAIL_TYPES_60
#undef TWAT_MP_DETAIL_TYPES_70
#undef TWAT_MP_DETAIL_TYPES_80
#undef TWAT_MP_DETAIL_TYPES_90
#undef TWAT_MP_DETAIL_BIND

} // namespace twat::mp::detail

#endif
