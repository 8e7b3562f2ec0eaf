// SPDX-License-Identifier: BSL-1.0
#ifndef PGZIP_COMPRESS_HPP
#define PGZIP_COMPRESS_HPP

#include <twat/mp/async_pool.hpp>
#include <twat/mp/progress_bar.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "block_reader.hpp"
#include "deflate_block.hpp"
#include "file.hpp"
#include "gzip_format.hpp"
#include "settings.hpp"

namespace pgzip {

namespace asio = boost::asio;
namespace mp = twat::mp;

/** The job: one input through the workers into one output.

    The three stages run beside each other. The pool pulls blocks from the reader while workers compress others and this
    coroutine writes what is finished, in the order of the input.
*/
template <class Pool>
asio::awaitable<void> compress(Pool& pool, const settings& s, const input_file& in, std::string_view name,
                               output_file& out)
{
    const auto deflate = mp::partial(deflate_block, s.level); // the level is sent once to each worker
    block_reader blocks(in.fd(), s.block_size);
    std::optional<mp::progress_bar> bar;
    if (!s.quiet && ::isatty(STDERR_FILENO))
        bar.emplace();

    // A block is work for many milliseconds: sent one at a time. The window bounds the memory: so many blocks are with
    // workers or wait to be written, and no more are read until some have been.
    mp::call_options options;
    options.chunk_size = 1;
    options.window = 4 * pool.nodes();
    options.retries = s.cluster.empty() ? 0 : 2; // a host that is lost costs time, and no block
    std::size_t total = 0;
    if (in.is_regular())
        total = (static_cast<std::size_t>(in.status().st_size) + s.block_size - 1) / s.block_size;
    auto show = [&bar, total](mp::progress progress) {
        if (!bar)
            return;
        if (total > 0)
            progress.total = total; // the reader does not know its length, the file does
        (*bar)(progress);
    };
    auto results = pool.with(options).on_progress(std::ref(show)).imap(deflate, std::move(blocks));

    const std::time_t modified = in.is_regular() ? in.status().st_mtime : 0;
    // Each block becomes a member of its own. The first one tells name and time of the file.
    bytes header = gzip_header(name, modified, s.level);
    const auto write_member = [&](const compressed_block& block) {
        out.write(header);
        out.write(block.data);
        out.write(gzip_trailer(block));
    };
    std::uint64_t members = 0;
    for (; auto block = co_await results.next(); ++members) {
        write_member(*block);
        if (members == 0)
            header = gzip_header("", 0, s.level);
    }
    if (members == 0)
        write_member(empty_block());
}

} // namespace pgzip

#endif
