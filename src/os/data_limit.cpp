// SPDX-License-Identifier: BSL-1.0
#include "os/data_limit.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace twat::mp::detail {
namespace {

static_assert(sizeof(rlim_t) == sizeof(std::size_t));

void change(std::size_t now, std::size_t most) noexcept
{
    const ::rlimit limit{now, most};
    ::setrlimit(RLIMIT_DATA, &limit);
}

} // namespace

bool data_limit::prepare(std::size_t bytes) noexcept
{
    ::rlimit usual{};
    if (::getrlimit(RLIMIT_DATA, &usual) != 0)
        return false;
    usual_ = usual.rlim_cur;
    most_ = usual.rlim_max;
    limited_ = std::min(bytes, usual_);
    return true;
}

void data_limit::set() const noexcept { change(limited_, most_); }

void data_limit::take_back() const noexcept { change(usual_, most_); }

} // namespace twat::mp::detail
