// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_CLIENT_TENANT_HPP
#define OFFLOAD_CLIENT_TENANT_HPP

#include <twat/mp/tenant.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>

namespace offload {

namespace asio = boost::asio;
namespace mp = twat::mp;

/** Clients share the workers by their address: one that sends a thousand requests does not keep the others waiting.

    Of an address of IPv6 the first half counts, which one customer has for himself; the other half he may make up.
*/
inline mp::tenant_id tenant_of(const asio::ip::address& address)
{
    if (address.is_v4())
        return {address.to_v4().to_uint()};
    const asio::ip::address_v6 v6 = address.to_v6();
    if (v6.is_v4_mapped())
        return {asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_uint()};
    std::uint64_t network = 0;
    for (std::size_t i = 0; i < 8; ++i)
        network = network << 8 | v6.to_bytes()[i];
    return {network};
}

inline mp::tenant_id tenant_of(const asio::ip::tcp::socket& client)
{
    boost::system::error_code gone;
    const auto endpoint = client.remote_endpoint(gone);
    return gone ? mp::tenant_id{} : tenant_of(endpoint.address());
}

} // namespace offload

#endif
