// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_LABEL_BOARD_HPP
#define TWAT_MP_SRC_ENGINE_LABEL_BOARD_HPP

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <twat/mp/usage.hpp>

namespace twat::mp::detail {

/** What measured tasks used, by label. For any thread. */
class label_board
{
public:
    /// Beyond so many, labels count as none: a program may make them of what its clients send.
    static constexpr std::size_t most_labels = 256;

    void add(const char* label, const usage& used)
    {
        const std::string_view name = label ? label : "";
        std::lock_guard lock(mutex_);
        auto found = sums_.find(name);
        if (found == sums_.end())
            found = sums_.size() < most_labels || name.empty() ? sums_.emplace(name, label_stats{}).first
                                                               : sums_.try_emplace("").first;
        label_stats& sum = found->second;
        ++sum.tasks;
        sum.user += used.user;
        sum.system += used.system;
    }

    std::vector<label_stats> all() const
    {
        std::lock_guard lock(mutex_);
        std::vector<label_stats> all;
        all.reserve(sums_.size());
        for (const auto& [name, sum] : sums_)
            all.emplace_back(sum).label = name;
        return all;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, label_stats, std::less<>> sums_;
};

} // namespace twat::mp::detail

#endif
