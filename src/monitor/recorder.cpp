// SPDX-License-Identifier: BSL-1.0
#include "monitor/recorder.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <stdlib.h>
#include <unistd.h>

namespace twat::mp::detail {

temporary_file::temporary_file()
{
    std::string name = (std::filesystem::temp_directory_path() / "twat-mp-recording.XXXXXX").string();
    const int fd = ::mkstemp(name.data()); // 0600
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), name);
    ::close(fd);
    path_ = name;
}

temporary_file::~temporary_file()
{
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

std::string temporary_file::read() const
{
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace twat::mp::detail
