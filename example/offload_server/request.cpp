// SPDX-License-Identifier: BSL-1.0
#include "request.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>

#include "json.hpp"

namespace offload {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool starts_with(std::string_view text, std::string_view start)
{
    return text.size() >= start.size() && beast::iequals({text.data(), start.size()}, {start.data(), start.size()});
}

/// "example.org:8080" without its port.
std::string_view name_of_host(std::string_view host)
{
    if (host.starts_with('['))
        return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

/** The names under which a server on a loopback address is asked for. A page of a stranger can make its own name lead here (DNS rebinding), and then
    its reader's browser takes the two for one site; it cannot do that with an address, nor with localhost.
*/
bool known_host(std::string_view host, const settings& s)
{
    const std::string name(name_of_host(host));
    if (beast::iequals(name, "localhost") ||
        std::ranges::any_of(s.hosts, [&](const std::string& h) { return beast::iequals(h, name); }))
        return true;
    boost::system::error_code ec;
    asio::ip::make_address(name.starts_with('[') ? name.substr(1, name.size() - 2) : name, ec);
    return !ec;
}

} // namespace

answer error_answer(unsigned status, const char* name, const std::string& message)
{
    return {status, json_object().add("error", name).add("message", message).text() + "\n"};
}

target::target(const http::request_header<>& r) : host_(view(r[http::field::host]))
{
    std::string_view rest = view(r.target());
    for (const std::string_view scheme : {"http://", "https://"})
        if (starts_with(rest, scheme)) {
            rest.remove_prefix(scheme.size());
            host_ = rest.substr(0, rest.find_first_of("/?"));
            rest.remove_prefix(host_.size());
            if (host_.empty())
                return;
            if (!rest.starts_with('/')) {
                path_ = "/";
                query_ = rest.substr(std::min<std::size_t>(rest.size(), 1));
                return;
            }
            break;
        }
    if (!rest.starts_with('/') && !(rest == "*" && r.method() == http::verb::options))
        return;
    path_ = rest.substr(0, rest.find('?'));
    query_ = rest.substr(std::min(rest.size(), path_.size() + 1));
}

std::optional<std::string_view> target::find(std::string_view name) const
{
    for (std::string_view rest = query_; !rest.empty();) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return pair.substr(name.size() + 1);
    }
    return std::nullopt;
}

std::string_view target::text(std::string_view name) const { return find(name).value_or(""); }

std::uint64_t target::number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                             std::uint64_t most) const
{
    const auto text = find(name);
    if (!text)
        return otherwise;
    std::uint64_t value = 0;
    const auto [at, ec] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (ec != std::errc() || at != text->data() + text->size() || value < least || value > most)
        throw refusal{error_answer(400, "bad_query",
                                   std::string(name) + " is a number from " + std::to_string(least) + " to " +
                                       std::to_string(most))};
    return value;
}

std::optional<answer> objection(const http::request_header<>& r, const settings& s)
{
    const std::size_t hosts = r.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && r.version() >= 11))
        return error_answer(400, "bad_host",
                            hosts == 0 ? "the field Host is missing" : "there is more than one field Host");
    const target t(r);
    if (!t.valid())
        return error_answer(400, "bad_target", "the target of the request is neither a path nor an http URL");
    if (r.count(http::field::transfer_encoding) != 0) {
        if (r.version() < 11)
            return error_answer(400, "bad_request", "HTTP/1.0 has no Transfer-Encoding");
        if (r.count(http::field::transfer_encoding) > 1 ||
            !beast::iequals(r[http::field::transfer_encoding], "chunked"))
            return error_answer(501, "unknown_encoding", "the only Transfer-Encoding that is understood is chunked");
    }
    if ((s.loopback() || !s.hosts.empty()) && hosts != 0 && !known_host(t.host(), s))
        return error_answer(421, "wrong_host",
                            "this server is not " + std::string(t.host()) + "; the option --host adds a name");
    return std::nullopt;
}

bool from_elsewhere(const http::request_header<>& r)
{
    const auto origin = r.find(http::field::origin);
    if (origin == r.end())
        return false;
    const std::string_view text = view(origin->value());
    const std::string host(target(r).host());
    return text != "http://" + host && text != "https://" + host;
}

} // namespace offload
