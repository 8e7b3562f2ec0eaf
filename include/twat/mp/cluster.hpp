// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CLUSTER_HPP
#define TWAT_MP_CLUSTER_HPP

// Pools over several hosts: the CMake target twat::mp_cluster, the package twat-mp-cluster.

#include <twat/mp/cluster/agent.hpp>
#include <twat/mp/cluster/host_lost.hpp>
#include <twat/mp/cluster/options.hpp>
#include <twat/mp/cluster/use_cluster.hpp>
#include <twat/mp/cluster/workers.hpp>

#endif
