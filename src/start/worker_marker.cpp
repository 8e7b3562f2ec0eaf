// SPDX-License-Identifier: BSL-1.0
#include "start/worker_marker.hpp"

#include <charconv>

#include "os/random_bits.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::string_view format = "2"; // Of the marker itself; the protocol's version is the handshake's matter.

/// Takes a number and the separator behind it off the front of `text`.
template <class T>
bool take(std::string_view& text, T& value, int base = 10)
{
    const auto field = text.substr(0, text.find(':'));
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value, base);
    if (error != std::errc() || end != field.data() + field.size())
        return false;
    text.remove_prefix(field.size() < text.size() ? field.size() + 1 : field.size());
    return true;
}

} // namespace

std::string encode_marker(const worker_marker& marker)
{
    char nonce[16];
    const auto end = std::to_chars(nonce, nonce + sizeof nonce, marker.nonce, 16).ptr;
    std::string text = worker_marker_name;
    text.append("=").append(format);
    text.append(":").append(std::to_string(marker.index));
    text.append(":").append(std::to_string(marker.depth));
    text.append(":").append(std::to_string(marker.parent));
    text.append(":").append(nonce, end);
    text.append(":").append(std::to_string(marker.cpus));
    return text;
}

std::optional<worker_marker> parse_marker(std::string_view text)
{
    const auto whole = text;
    worker_marker marker;
    if (!text.starts_with(format) || !text.substr(format.size()).starts_with(":"))
        return std::nullopt;
    text.remove_prefix(format.size() + 1);
    if (!take(text, marker.index) || !take(text, marker.depth) || !take(text, marker.parent) ||
        !take(text, marker.nonce, 16) || !take(text, marker.cpus))
        return std::nullopt;
    // Other spellings of the same numbers, and text behind them, are not ours.
    if (encode_marker(marker).substr(std::string_view(worker_marker_name).size() + 1) != whole)
        return std::nullopt;
    if (marker.depth < 1 || marker.depth > nesting_limit || marker.parent <= 0 || marker.cpus < 1)
        return std::nullopt;
    return marker;
}

std::uint64_t make_nonce() { return random_bits(); }

} // namespace twat::mp::detail
