// SPDX-License-Identifier: BSL-1.0
#ifndef PGZIP_BLOCK_READER_HPP
#define PGZIP_BLOCK_READER_HPP

#include <cstddef>
#include <iterator>

#include "block.hpp"

namespace pgzip {

/** The input as a range of blocks, each read when it is asked for.

    The pool pulls a block when a worker can take one. So no more than a few blocks are in memory, whatever the size of the
    input. Throws `std::system_error` where reading fails.
*/
class block_reader
{
public:
    /// Reads from `fd`, which stays the caller's. @pre `block_size >= window_size`
    block_reader(int fd, std::size_t block_size) : fd_(fd), block_size_(block_size) {}

    class iterator
    {
    public:
        using value_type = block;
        using difference_type = std::ptrdiff_t;

        explicit iterator(block_reader& reader) : reader_(&reader) {}
        block&& operator*() const { return std::move(reader_->current_); }
        iterator& operator++()
        {
            reader_->read_next();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return reader_->at_end_; }

    private:
        block_reader* reader_;
    };

    iterator begin()
    {
        read_next();
        return iterator(*this);
    }
    std::default_sentinel_t end() const { return {}; }

private:
    void read_next();

    int fd_;
    std::size_t block_size_;
    block current_;
    bool at_end_ = false;
};

} // namespace pgzip

#endif
