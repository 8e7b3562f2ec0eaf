// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_LEDGER_HPP
#define TWAT_MP_TEST_FAULTS_LEDGER_HPP

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace twat::mp::test {

/** Which tasks ran, and how often, as a file to which every task appends its index before it does anything else. */
class ledger
{
public:
    ledger()
    {
        path_ = (std::filesystem::temp_directory_path() / "twat_mp_ledger_XXXXXX").string();
        fd_ = ::mkostemp(path_.data(), O_APPEND | O_CLOEXEC);
        if (fd_ < 0)
            throw std::runtime_error("no ledger");
    }
    ledger(const ledger&) = delete;
    ~ledger()
    {
        ::close(fd_);
        ::unlink(path_.c_str());
    }

    const std::string& path() const noexcept { return path_; }

    /// In a worker. One write is one entry, whole or not at all.
    static void enter(const std::string& path, std::uint64_t index)
    {
        const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0 || ::write(fd, &index, sizeof index) != sizeof index)
            throw std::runtime_error("the ledger cannot be written");
        ::close(fd);
    }

    /// How often each of the tasks 0 to n-1 began.
    std::vector<unsigned> counts(std::size_t n) const
    {
        std::vector<unsigned> counts(n);
        std::uint64_t index;
        for (::off_t at = 0; ::pread(fd_, &index, sizeof index, at) == sizeof index; at += sizeof index)
            ++counts.at(index);
        return counts;
    }

private:
    int fd_;
    std::string path_;
};

} // namespace twat::mp::test

#endif
