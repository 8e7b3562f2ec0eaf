// SPDX-License-Identifier: BSL-1.0
// A message that has come from the broker.
#include <nats/nats.h>

#include "cluster/broker_link.hpp"

namespace twat::mp::detail::cluster {

void incoming::destroy(__natsMsg* message) noexcept { natsMsg_Destroy(message); }

std::string_view incoming::subject() const noexcept { return natsMsg_GetSubject(message_.get()); }

std::string_view incoming::reply() const noexcept
{
    const char* const reply = natsMsg_GetReply(message_.get());
    return reply ? reply : "";
}

std::span<const std::byte> incoming::bytes() const noexcept
{
    return {reinterpret_cast<const std::byte*>(natsMsg_GetData(message_.get())),
            static_cast<std::size_t>(natsMsg_GetDataLength(message_.get()))};
}

std::string_view incoming::status() const noexcept
{
    const char* value = nullptr;
    if (natsMsg_GetDataLength(message_.get()) != 0 || natsMsgHeader_Get(message_.get(), "Status", &value) != NATS_OK ||
        !value)
        return {};
    return value;
}

} // namespace twat::mp::detail::cluster
