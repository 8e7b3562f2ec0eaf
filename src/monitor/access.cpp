// SPDX-License-Identifier: BSL-1.0
#include "monitor/access.hpp"

#include <cstddef>
#include <string>

namespace twat::mp::detail {
namespace {

std::string_view without_port(std::string_view host) noexcept
{
    if (host.starts_with('['))
        return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

bool is_loopback_name(std::string_view host) noexcept
{
    const std::string_view name = without_port(host);
    if (name.starts_with("127.")) // an address and not a name that begins like one
        return name.find_first_not_of("0123456789.") == std::string_view::npos;
    return name == "localhost" || name == "[::1]";
}

/// As long for a wrong token as for the right one.
bool equal(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size())
        return false;
    unsigned char difference = 0;
    for (std::size_t i = 0; i != a.size(); ++i)
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

} // namespace

access judge_request(const request_origin& from, std::string_view token, bool loopback) noexcept
{
    if (loopback && !is_loopback_name(from.host))
        return access::wrong_host;
    if (!from.origin.empty() && from.origin != "http://" + std::string(from.host) &&
        from.origin != "https://" + std::string(from.host))
        return access::wrong_origin;
    if (token.empty())
        return access::granted;
    constexpr std::string_view scheme = "Bearer ";
    const bool sent = from.authorization.starts_with(scheme) && equal(from.authorization.substr(scheme.size()), token);
    return sent || equal(from.token, token) ? access::granted : access::no_token;
}

} // namespace twat::mp::detail
