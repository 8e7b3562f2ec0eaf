// SPDX-License-Identifier: BSL-1.0
// The container: members, each of a header, deflate data and a trailer (RFC 1952). Whoever reads the format takes them together as one file.
#ifndef PGZIP_GZIP_FORMAT_HPP
#define PGZIP_GZIP_FORMAT_HPP

#include <cstdint>
#include <ctime>
#include <string_view>

#include "block.hpp"

namespace pgzip {

/// The first bytes of a member. `name` may be empty, `modified` 0: unknown. Those of the first member are the file's.
bytes gzip_header(std::string_view name, std::time_t modified, int level);

/// The last bytes of a member: checksum and length of what is in it.
bytes gzip_trailer(const compressed_block& block);

/// What a file without contents has between header and trailer.
compressed_block empty_block();

} // namespace pgzip

#endif
