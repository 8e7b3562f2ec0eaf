// SPDX-License-Identifier: BSL-1.0
#include "cluster/names.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <random>

#include "function/module.hpp"
#include "os/own_process.hpp"
#include "start/title.hpp"

namespace twat::mp::detail::cluster {

std::string make_chunk_name(std::string_view pool, std::uint64_t chunk, std::size_t renewed)
{
    return std::string(pool) + "." + std::to_string(chunk) +
           (renewed == 0 ? std::string() : ".r" + std::to_string(renewed));
}

bool names_chunk(std::string_view name, std::string_view pool, std::uint64_t chunk)
{
    const std::string first = make_chunk_name(pool, chunk, 0);
    return name.starts_with(first) && (name.size() == first.size() || name.substr(first.size()).starts_with(".r"));
}

std::string make_token(std::string_view text)
{
    std::string token(text.empty() ? "_" : text);
    for (char& c : token)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_')
            c = '_';
    return token;
}

std::string_view last_token(std::string_view subject) noexcept { return subject.substr(subject.rfind('.') + 1); }

std::string build_token()
{
    // What stands for a build without a build id has its hash behind this; messages show the first characters.
    constexpr std::string_view hashed = "read-only:";
    std::string_view id = build_id();
    if (id.starts_with(hashed))
        id.remove_prefix(hashed.size());
    return to_hex(id);
}

// The file, and not what the program was called as: both sides may have been started in different ways.
std::string program_text()
{
    std::string name = std::filesystem::path(own_executable()).filename().string();
    if (const std::size_t replaced = name.find(" (deleted)"); replaced != name.npos)
        name.erase(replaced);
    return name.empty() ? program_name() : name;
}

std::string make_unique_id()
{
    static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::random_device device;
    std::uniform_int_distribution<std::size_t> any(0, sizeof digits - 2);
    std::string id(20, '0');
    for (char& c : id)
        c = digits[any(device)];
    return id;
}

names::names(std::string_view group) : names(group, build_token()) {}

names::names(std::string_view group, std::string build)
    : group_(make_token(group.empty() ? std::string_view(program_text()) : group)), build_(std::move(build)),
      base_("twatmp." + group_ + "." + build_)
{}

std::string names::pool(std::string_view id, std::string_view what) const
{
    return base_ + ".pool." + std::string(id) + "." + std::string(what);
}

std::string names::agent(std::string_view id, std::string_view what) const
{
    return base_ + ".agent." + std::string(id) + "." + std::string(what);
}

std::string without_secrets(const std::string& urls)
{
    std::string shown;
    for (std::size_t begin = 0; begin <= urls.size();) {
        const std::size_t end = std::min(urls.find(',', begin), urls.size());
        std::string_view one = std::string_view(urls).substr(begin, end - begin);
        const std::size_t scheme = one.find("://");
        const std::size_t host = scheme == one.npos ? 0 : scheme + 3;
        shown += one.substr(0, host);
        const std::size_t secret = one.rfind('@');
        shown += one.substr(secret == one.npos || secret < host ? host : secret + 1);
        if (end != urls.size())
            shown += ',';
        begin = end + 1;
    }
    return shown;
}

} // namespace twat::mp::detail::cluster
