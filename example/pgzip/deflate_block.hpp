// SPDX-License-Identifier: BSL-1.0
#ifndef PGZIP_DEFLATE_BLOCK_HPP
#define PGZIP_DEFLATE_BLOCK_HPP

#include "block.hpp"

namespace pgzip {

/** The task: compresses one block. Runs in the workers.

    An ordinary function of ordinary values; it does not know that it runs in another process.
*/
compressed_block deflate_block(int level, const block& input);

} // namespace pgzip

#endif
