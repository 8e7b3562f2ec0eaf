// SPDX-License-Identifier: BSL-1.0
#ifndef PGZIP_FILE_HPP
#define PGZIP_FILE_HPP

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "block.hpp"

namespace pgzip {

/// A file descriptor that is open for reading; closed at the end unless it is standard input.
class input_file
{
public:
    /// "-" is standard input. Throws `std::system_error`.
    explicit input_file(const std::string& name);
    input_file(const input_file&) = delete;
    input_file& operator=(const input_file&) = delete;
    ~input_file();

    int fd() const { return fd_; }
    const struct ::stat& status() const { return status_; }
    bool is_regular() const { return S_ISREG(status_.st_mode); }

private:
    int fd_;
    struct ::stat status_
    {};
};

/** The output: written under a temporary name beside the final one, which it gets in `commit`.

    So the final name never shows a half-written file. Without `commit` the temporary one is removed, also when the program
    is ended by a signal.
*/
class output_file
{
public:
    /// Standard output.
    output_file();
    /// `replace`: an existing file is replaced; otherwise it makes this throw, and `commit` too.
    output_file(std::filesystem::path name, bool replace);
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    ~output_file();

    /// Throws `std::system_error`, whose code says why (a full disk, for example).
    void write(const bytes& data);
    /// Takes over mode, owner and time of the file that was compressed.
    void copy_attributes(const struct ::stat& from);
    /// Gives the file its name.
    void commit();
    /// Bytes written so far.
    std::uint64_t length() const { return length_; }

private:
    int fd_;
    std::uint64_t length_ = 0;
    std::filesystem::path name_;
    std::filesystem::path temporary_; // empty: standard output, or committed
    bool replace_ = false;
};

} // namespace pgzip

#endif
