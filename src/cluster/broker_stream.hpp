// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_BROKER_STREAM_HPP
#define TWAT_MP_SRC_CLUSTER_BROKER_STREAM_HPP

#include <nats/nats.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <twat/mp/cluster/options.hpp>

#include "cluster/leftovers.hpp"
#include "cluster/names.hpp"

namespace twat::mp::detail::cluster {

template <auto Destroy>
struct destroyer
{
    template <class T>
    void operator()(T* object) const noexcept
    {
        Destroy(object);
    }
};

using options_handle = std::unique_ptr<natsOptions, destroyer<natsOptions_Destroy>>;
using connection_handle = std::unique_ptr<natsConnection, destroyer<natsConnection_Destroy>>;
using subscription_handle = std::unique_ptr<natsSubscription, destroyer<natsSubscription_Destroy>>;

/// Options for an address and credentials. Throws `std::runtime_error` that says what is wrong with them.
options_handle make_broker_options(const std::string& url, const broker_credentials& credentials);

/// Makes the stream and its consumer, or brings them up to date. Blocks. Returns what is wrong; empty: nothing.
std::string ensure_stream(natsConnection* connection, const names& called, duration lease, std::size_t replicas);

/// Deletes a chunk of a pool's, if it is there under this number: the numbers of messages that a broker lost are given out again. Blocks for
/// `patience` for each of two questions at most.
enum class deletion { not_there, deleted, unanswered };
deletion delete_own(natsConnection* connection, const names& called, const stored_chunk& what, std::string_view pool,
                    duration patience);

/// Why a connection could not be made, in this thread, and what to do.
std::string describe_connect_error(natsStatus status, const std::string& url, const broker_credentials& credentials);

} // namespace twat::mp::detail::cluster

#endif
