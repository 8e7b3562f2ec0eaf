// SPDX-License-Identifier: BSL-1.0
// Defines what inline.cpp defines differently: the check for that must find it.
int twice_defined(int x) { return x; }
