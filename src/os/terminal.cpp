// SPDX-License-Identifier: BSL-1.0
#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace twat::mp::detail {

bool is_terminal(int descriptor) noexcept { return ::isatty(descriptor) == 1; }

int terminal_width(int descriptor) noexcept
{
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

} // namespace twat::mp::detail
