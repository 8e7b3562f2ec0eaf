// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_OUTPUT_TAIL_HPP
#define TWAT_MP_SRC_OS_OUTPUT_TAIL_HPP

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// The last 64 KiB of what was written. Takes no memory before anything is.
class output_tail
{
public:
    static constexpr std::size_t capacity = 64 * 1024;

    void append(std::string_view text)
    {
        if (text.size() >= capacity)
            text.remove_prefix(text.size() - capacity);
        const std::size_t room = std::min(text.size(), capacity - bytes_.size());
        bytes_.append(text.substr(0, room));
        text.remove_prefix(room);
        while (!text.empty()) { // full: over what is oldest
            const std::size_t part = std::min(text.size(), capacity - oldest_);
            bytes_.replace(oldest_, part, text.substr(0, part));
            oldest_ = (oldest_ + part) % capacity;
            text.remove_prefix(part);
        }
    }

    std::string text() const { return bytes_.substr(oldest_) + bytes_.substr(0, oldest_); }

private:
    std::string bytes_;
    std::size_t oldest_ = 0; ///< Where it begins, once it is full.
};

} // namespace twat::mp::detail

#endif
