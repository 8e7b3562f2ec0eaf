// SPDX-License-Identifier: BSL-1.0
#include "cluster/parts.hpp"

#include <algorithm>
#include <cstring>

#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {

part_reader::part_reader(std::uint64_t size, std::size_t part_size, duration patience)
    : size_(size), part_size_(part_size), patience_(patience)
{}

std::size_t part_reader::size_at(std::uint64_t offset) const noexcept
{
    return static_cast<std::size_t>(std::min<std::uint64_t>(part_size_, size_ - offset));
}

std::vector<part_reader::request> part_reader::take_requests(time_point now)
{
    std::vector<request> requests;
    for (auto& [offset, again_at] : asked_)
        if (again_at <= now) {
            again_at = saturating_add(now, patience_);
            requests.push_back({offset, size_at(offset)});
        }
    for (; asked_.size() < in_flight && next_ < size_; next_ += part_size_) {
        asked_[next_] = saturating_add(now, patience_);
        requests.push_back({next_, size_at(next_)});
    }
    return requests;
}

bool part_reader::add(std::uint64_t offset, std::span<const std::byte> bytes)
{
    if (bytes.empty())
        return false;
    const auto found = asked_.find(offset);
    if (found == asked_.end())
        return offset < size_; // it was asked for twice
    if (bytes.size() != size_at(offset))
        return false;
    if (bytes_.size() < offset + bytes.size())
        bytes_.resize(static_cast<std::size_t>(offset + bytes.size()));
    std::memcpy(bytes_.data() + offset, bytes.data(), bytes.size());
    arrived_ += bytes.size();
    asked_.erase(found);
    return true;
}

time_point part_reader::next_due() const noexcept
{
    time_point next = time_point::max();
    for (const auto& [offset, again_at] : asked_)
        next = std::min(next, again_at);
    return next;
}

std::span<const std::byte> find_part(std::span<const std::byte> body, std::uint64_t offset, std::uint64_t size) noexcept
{
    if (offset >= body.size())
        return {};
    return body.subspan(static_cast<std::size_t>(offset),
                        static_cast<std::size_t>(std::min<std::uint64_t>(size, body.size() - offset)));
}

} // namespace twat::mp::detail::cluster
