// SPDX-License-Identifier: BSL-1.0
#include "block_reader.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace pgzip {

void block_reader::read_next()
{
    block next(block_size_);
    // A pipe gives less than was asked for; only the last block may be short.
    std::size_t size = 0;
    while (size < block_size_) {
        const ssize_t got = ::read(fd_, next.data() + size, block_size_ - size);
        if (got == 0)
            break;
        if (got > 0)
            size += static_cast<std::size_t>(got);
        else if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "cannot read");
    }
    next.resize(size);
    at_end_ = size == 0;
    current_ = std::move(next);
}

} // namespace pgzip
