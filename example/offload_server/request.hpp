// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_REQUEST_HPP
#define OFFLOAD_REQUEST_HPP

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "settings.hpp"

namespace offload {

namespace http = boost::beast::http;

using request = http::request<http::string_body>;

struct answer
{
    unsigned status = 200;
    std::string body{};
    std::string type = "application/json";
    std::string allow{};
    bool retry = false;
    bool sized = true; ///< It has a Content-Length.
};

answer error_answer(unsigned status, const char* name, const std::string& message);

/// Thrown where a request cannot be served as it is.
struct refusal
{
    answer what;
};

/** The target of a request: "/path?query", or with the server in front as a proxy's clients write it, "http://host:port/path?query". */
class target
{
public:
    explicit target(const http::request_header<>& r);

    bool valid() const { return !path_.empty(); }
    std::string_view path() const { return path_; }
    /// Who is asked: from the target if it says so, else from the field Host.
    std::string_view host() const { return host_; }

    /// The value behind `NAME=` in the query; empty, if there is none.
    std::string_view text(std::string_view name) const;
    /// The same as a number, or `otherwise`.
    /// @throws refusal, if it is not a number or out of range.
    std::uint64_t number(std::string_view name, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most) const;

private:
    std::optional<std::string_view> find(std::string_view name) const;

    std::string_view path_, query_, host_;
};

/// What is wrong with a request, whatever it asks for. Found before its body is read.
std::optional<answer> objection(const http::request_header<>& r, const settings& s);

/// The request comes from a page of another site, which must not make this server do something in its reader's name.
bool from_elsewhere(const http::request_header<>& r);

} // namespace offload

#endif
