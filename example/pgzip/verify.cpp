// SPDX-License-Identifier: BSL-1.0
#include "verify.hpp"

#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace pgzip {

void verify(int fd)
{
    std::vector<unsigned char> in(256 * 1024), out(256 * 1024);
    z_stream stream{};
    constexpr int gzip = 16 + MAX_WBITS;
    if (::inflateInit2(&stream, gzip) != Z_OK)
        throw std::runtime_error("zlib cannot start");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, &::inflateEnd);

    bool inside = true; // of a file: the input may end only between two
    for (;;) {
        const ssize_t got = ::read(fd, in.data(), in.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw std::system_error(errno, std::generic_category(), "cannot read");
        if (got == 0)
            break;
        stream.next_in = in.data();
        stream.avail_in = static_cast<uInt>(got);
        while (stream.avail_in > 0) {
            stream.next_out = out.data();
            stream.avail_out = static_cast<uInt>(out.size());
            inside = true;
            const int result = ::inflate(&stream, Z_NO_FLUSH);
            if (result == Z_STREAM_END) {
                inside = false;
                ::inflateReset(&stream);
            } else if (result != Z_OK && result != Z_BUF_ERROR) {
                throw std::runtime_error(stream.msg ? stream.msg : "not in gzip format");
            }
        }
    }
    if (inside)
        throw std::runtime_error("unexpected end of file");
}

} // namespace pgzip
