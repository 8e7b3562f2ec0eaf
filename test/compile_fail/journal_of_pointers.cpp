// SPDX-License-Identifier: BSL-1.0
// expect: an argument of a journaled task cannot be encoded
#include <twat/mp/multi_pool.hpp>

#include <functional>
#include <vector>

#ifdef TWAT_MP_CONTROL
using element = int;
int value(element x) { return x; }
#else
using element = int*;
int value(element x) { return *x; }
#endif

int use(twat::mp::thread_pool& pool, const std::vector<element>& xs)
{
    return pool.with({.deterministic = true}).journal("parts").reduce(value, std::plus<>(), 0, xs);
}
