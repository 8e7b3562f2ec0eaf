// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_VERSION_HPP
#define TWAT_MP_VERSION_HPP

/// The version of the library, the only place where it is written.
#define TWAT_MP_VERSION_MAJOR 0
#define TWAT_MP_VERSION_MINOR 1
#define TWAT_MP_VERSION_PATCH 0

#endif
