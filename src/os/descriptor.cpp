// SPDX-License-Identifier: BSL-1.0
#include "os/descriptor.hpp"

#include <boost/system/system_category.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/memory_use.hpp"

namespace twat::mp::detail {

using boost::system::error_code;

namespace {

std::uint64_t limit_of(__rlimit_resource resource) noexcept
{
    ::rlimit limit{};
    const bool is_limited = ::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return is_limited ? limit.rlim_cur : std::numeric_limits<std::uint64_t>::max();
}

} // namespace

error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

void unique_descriptor::reset(int fd) noexcept
{
    const int old = std::exchange(fd_, fd);
    if (old >= 0) {
        const int saved = errno;
        ::close(old); // On Linux closed even after EINTR: never tried again.
        errno = saved;
    }
}

unique_descriptor duplicate(int fd, error_code& ec)
{
    unique_descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, lowest_descriptor));
    ec = copy ? error_code() : last_error();
    return copy;
}

unique_descriptor raise(unique_descriptor fd, error_code& ec)
{
    if (!fd) {
        ec = last_error();
        return fd;
    }
    ec = {};
    return fd.get() >= lowest_descriptor ? std::move(fd) : duplicate(fd.get(), ec);
}

socket_pair make_socket_pair(error_code& ec)
{
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        ec = last_error();
        return {};
    }
    socket_pair pair{unique_descriptor(ends[0]), unique_descriptor(ends[1])};
    pair.first = raise(std::move(pair.first), ec);
    if (!ec)
        pair.second = raise(std::move(pair.second), ec);
    return ec ? socket_pair() : std::move(pair);
}

socket_pair make_pipe(error_code& ec)
{
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        ec = last_error();
        return {};
    }
    socket_pair pair{unique_descriptor(ends[0]), unique_descriptor(ends[1])};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        ec = last_error();
        return {};
    }
    pair.first = raise(std::move(pair.first), ec);
    if (!ec)
        pair.second = raise(std::move(pair.second), ec);
    return ec ? socket_pair() : std::move(pair);
}

unique_descriptor make_event(error_code& ec)
{
    return raise(unique_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), ec);
}

void signal_event(int event) noexcept
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(event, &one, sizeof one);
}

std::uint64_t most_file_size() noexcept { return limit_of(RLIMIT_FSIZE); }

std::uint64_t free_address_space() noexcept
{
    const std::uint64_t limit = limit_of(RLIMIT_AS);
    if (limit == std::numeric_limits<std::uint64_t>::max())
        return limit;
    const auto use = read_memory_use();
    return use ? limit - std::min(limit, use->address_space) : 0;
}

unique_descriptor make_page(std::size_t size, error_code& ec, const char* name)
{
    if (size > most_file_size()) {
        ec.assign(EFBIG, boost::system::system_category());
        return {};
    }
    auto page = raise(unique_descriptor(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)), ec);
    if (ec)
        return {};
    if (::ftruncate(page.get(), static_cast<off_t>(size)) != 0 ||
        ::fcntl(page.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        ec = last_error();
        return {};
    }
    return page;
}

bool cannot_shrink(int page) noexcept
{
    const int seals = ::fcntl(page, F_GET_SEALS);
    return seals != -1 && (seals & F_SEAL_SHRINK) != 0;
}

unique_descriptor open_null(error_code& ec)
{
    unique_descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) // A sandbox may forbid to write even there.
        null.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return raise(std::move(null), ec);
}

} // namespace twat::mp::detail
