// SPDX-License-Identifier: BSL-1.0
#ifndef PGZIP_VERIFY_HPP
#define PGZIP_VERIFY_HPP

namespace pgzip {

/** Decompresses what `fd` holds without keeping it, and compares checksums and lengths.

    Several files in one are in order, as they are to gzip. Throws `std::runtime_error` that says what is wrong.
    Runs on one CPU: where a deflate stream can be taken up in the middle is not known without reading it.
*/
void verify(int fd);

} // namespace pgzip

#endif
