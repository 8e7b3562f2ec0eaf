// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CONFIG_HPP
#define TWAT_MP_CONFIG_HPP

#include <boost/config.hpp>

/// Marks what the library exports. Applied to classes and free functions that `src/` defines.
#if defined(TWAT_MP_SHARED)
#if defined(TWAT_MP_SOURCE)
#define TWAT_MP_DECL BOOST_SYMBOL_EXPORT
#else
#define TWAT_MP_DECL BOOST_SYMBOL_IMPORT
#endif
#else
#define TWAT_MP_DECL
#endif

/// The same for twat::mp_cluster, whose sources are in `src/cluster`.
#if defined(TWAT_MP_SHARED)
#if defined(TWAT_MP_CLUSTER_SOURCE)
#define TWAT_MP_CLUSTER_DECL BOOST_SYMBOL_EXPORT
#else
#define TWAT_MP_CLUSTER_DECL BOOST_SYMBOL_IMPORT
#endif
#else
#define TWAT_MP_CLUSTER_DECL
#endif

namespace boost::asio {}

namespace twat::mp {
namespace asio = boost::asio;
}

#endif
