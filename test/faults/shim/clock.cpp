// SPDX-License-Identifier: BSL-1.0
// Preloaded into a program, lets the wall clock jump: each look at it sees another day, a day ahead or a day behind. The steady clock is left
// alone.
#include <atomic>
#include <ctime>

#include <dlfcn.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

std::atomic<unsigned> looks{0};

long jump() noexcept
{
    constexpr long day = 24 * 60 * 60;
    return (static_cast<long>(looks++ % 3) - 1) * day;
}

} // namespace

extern "C" {

std::atomic<unsigned>* twat_mp_shim_looks() noexcept;
std::atomic<unsigned>* twat_mp_shim_looks() noexcept { return &looks; }

int clock_gettime(clockid_t clock, timespec* to) noexcept
{
    static const auto real = reinterpret_cast<int (*)(clockid_t, timespec*)>(::dlsym(RTLD_NEXT, "clock_gettime"));
    const int result = real(clock, to);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI))
        to->tv_sec += jump();
    return result;
}

int gettimeofday(timeval* to, void* zone) noexcept
{
    static const auto real = reinterpret_cast<int (*)(timeval*, void*)>(::dlsym(RTLD_NEXT, "gettimeofday"));
    const int result = real(to, zone);
    if (result == 0)
        to->tv_sec += jump();
    return result;
}

time_t time(time_t* to) noexcept
{
    static const auto real = reinterpret_cast<time_t (*)(time_t*)>(::dlsym(RTLD_NEXT, "time"));
    const time_t now = real(nullptr) + jump();
    if (to)
        *to = now;
    return now;
}

} // extern "C"
