// SPDX-License-Identifier: BSL-1.0
#include "engine/start_turns.hpp"

#include <algorithm>

namespace twat::mp::detail {

void start_turns::want(std::size_t node)
{
    if (queued_[node])
        return;
    queued_[node] = true;
    queue_.push_back(node);
}

void start_turns::clear() noexcept
{
    queue_.clear();
    std::fill(queued_.begin(), queued_.end(), false);
}

void start_turns::withdraw(std::size_t node) noexcept
{
    if (!queued_[node])
        return;
    queued_[node] = false;
    std::erase(queue_, node);
}

std::optional<std::size_t> start_turns::next()
{
    if (queue_.empty() || under_way_.size() >= most_)
        return std::nullopt;
    const std::size_t node = queue_.front();
    queue_.pop_front();
    queued_[node] = false;
    return node;
}

void start_turns::over(worker_id worker) noexcept
{
    std::erase_if(under_way_, [worker](const start& s) { return s.worker == worker; });
}

time_point start_turns::next_look() const noexcept
{
    time_point next = time_point::max();
    if (!queue_.empty())
        for (const start& s : under_way_)
            next = std::min(next, s.looked_at + look_pause);
    return next;
}

} // namespace twat::mp::detail
