// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_PROCESS_HANDSHAKE_HPP
#define TWAT_MP_PROCESS_HANDSHAKE_HPP

#include <cstdint>
#include <string_view>

#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace twat::mp::detail {

/// What a program expects of the one that answers its `hello`.
struct expected_worker
{
    std::uint64_t nonce = 0;
    std::string_view build{}; ///< Empty: any, for the worker is another program.
};

enum class greeting { accepted, other_version, other_worker, other_build };

/// The version comes first: of another one, nothing else need mean what it means here.
inline greeting judge(const hello_reply_message& reply, const expected_worker& expected) noexcept
{
    if (reply.version != protocol_version)
        return greeting::other_version;
    if (reply.nonce != expected.nonce)
        return greeting::other_worker;
    if (!expected.build.empty() && reply.build != expected.build)
        return greeting::other_build;
    return greeting::accepted;
}

} // namespace twat::mp::detail

#endif
