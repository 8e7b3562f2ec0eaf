// SPDX-License-Identifier: BSL-1.0
// See strong.cpp.
inline int twice_defined(int x) { return x < 0 ? -x : x; }

int use_inline(int x) { return twice_defined(x); }

int main() { return use_inline(0); }
