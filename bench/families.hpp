// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_FAMILIES_HPP
#define TWAT_MP_BENCH_FAMILIES_HPP

#include "registry.hpp"

/// Each in the file of its name. W10 compares whole programs: tools/bench runs those itself.
namespace bench {

void add_w1(registry& rows);
void add_w2(registry& rows);
void add_w3(registry& rows);
void add_w4(registry& rows);
void add_w5(registry& rows);
void add_w6(registry& rows);
void add_w7(registry& rows);
void add_w8(registry& rows);
void add_w9(registry& rows);
void add_w11(registry& rows);
void add_w13(registry& rows);
void add_w15(registry& rows);

} // namespace bench

#endif
