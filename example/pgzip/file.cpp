// SPDX-License-Identifier: BSL-1.0
#include "file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pgzip {

namespace {

[[noreturn]] void fail(int error, const std::string& what)
{
    throw std::system_error(error, std::generic_category(), what);
}

// --- Removing the temporary file when a signal ends the program ---

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
std::array<char, 4096> to_remove{}; // empty: nothing

extern "C" void remove_and_end(int signal)
{
    if (to_remove[0] != '\0')
        ::unlink(to_remove.data());
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

/// Changes which file a signal removes; none arrives in between.
void remove_on_signal(const std::string& file)
{
    sigset_t set, before;
    sigemptyset(&set);
    for (const int signal : ending_signals)
        sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, &before);
    if (file.size() < to_remove.size())
        std::memcpy(to_remove.data(), file.c_str(), file.size() + 1);
    for (const int signal : ending_signals) {
        const auto old = std::signal(signal, file.empty() ? SIG_DFL : &remove_and_end);
        if (old == SIG_IGN)
            std::signal(signal, SIG_IGN); // started with nohup, say: still ignored
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace

input_file::input_file(const std::string& name)
    : fd_(name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY))
{
    if (fd_ < 0 || ::fstat(fd_, &status_) != 0)
        fail(errno, name);
    ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

input_file::~input_file()
{
    if (fd_ != STDIN_FILENO)
        ::close(fd_);
}

output_file::output_file() : fd_(STDOUT_FILENO), name_("standard output") {}

output_file::output_file(std::filesystem::path name, bool replace) : fd_(-1), name_(std::move(name)), replace_(replace)
{
    if (!replace_ && std::filesystem::exists(std::filesystem::symlink_status(name_)))
        fail(EEXIST, name_.string());
    std::string temporary = (name_.parent_path() / ("." + name_.filename().string() + ".XXXXXX")).string();
    fd_ = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (fd_ < 0)
        fail(errno, name_.string());
    temporary_ = temporary;
    remove_on_signal(temporary);
}

output_file::~output_file()
{
    if (fd_ != STDOUT_FILENO && fd_ >= 0)
        ::close(fd_);
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
        remove_on_signal("");
    }
}

void output_file::write(const bytes& data)
{
    for (std::size_t done = 0; done < data.size();) {
        const ssize_t put = ::write(fd_, data.data() + done, data.size() - done);
        if (put >= 0)
            done += static_cast<std::size_t>(put);
        else if (errno != EINTR)
            fail(errno, name_.string());
    }
    length_ += data.size();
}

void output_file::copy_attributes(const struct ::stat& from)
{
    if (temporary_.empty())
        return;
    // Only root may give files away; what cannot be kept is no reason to lose the output.
    if (::fchown(fd_, from.st_uid, from.st_gid) != 0)
        errno = 0;
    if (::fchmod(fd_, from.st_mode & 0777) != 0)
        fail(errno, name_.string());
    const std::array<timespec, 2> times{from.st_atim, from.st_mtim};
    ::futimens(fd_, times.data());
}

void output_file::commit()
{
    if (temporary_.empty())
        return;
    // Some file systems tell only now that the disk is full.
    if (::close(std::exchange(fd_, -1)) != 0)
        fail(errno, name_.string());
    // Another program may have made the file in the meantime.
    int result = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, name_.c_str(), replace_ ? 0 : RENAME_NOREPLACE);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS))
        result = std::rename(temporary_.c_str(), name_.c_str()); // a file system without that flag
    if (result != 0)
        fail(errno, name_.string());
    temporary_.clear();
    remove_on_signal("");
}

} // namespace pgzip
