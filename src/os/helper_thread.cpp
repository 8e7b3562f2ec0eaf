// SPDX-License-Identifier: BSL-1.0
#include "os/helper_thread.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <sys/prctl.h>

namespace twat::mp::detail {
namespace {

// Sanitizers need more than the code itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_size = 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr std::size_t stack_size = 0;
#else
constexpr std::size_t stack_size = 256 * 1024;
#endif
#else
constexpr std::size_t stack_size = 256 * 1024;
#endif

struct start
{
    const char* name;
    std::function<void()> run;
};

void* enter(void* argument) noexcept
{
    const std::unique_ptr<start> given(static_cast<start*>(argument));
    ::prctl(PR_SET_NAME, given->name);
    given->run();
    return nullptr;
}

class attributes
{
public:
    explicit attributes(std::size_t stack)
    {
        ::pthread_attr_init(&value_);
        ::pthread_attr_setdetachstate(&value_, PTHREAD_CREATE_DETACHED);
        if (stack != 0)
            ::pthread_attr_setstacksize(&value_, stack);
    }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() { ::pthread_attr_destroy(&value_); }

    const pthread_attr_t* get() const noexcept { return &value_; }

private:
    pthread_attr_t value_;
};

} // namespace

void start_helper_thread(const char* name, std::function<void()> run)
{
    auto given = std::make_unique<start>(start{name, std::move(run)});
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    ::pthread_t thread;
    int error = ::pthread_create(&thread, attributes(stack_size).get(), enter, given.get());
    if (error == EINVAL) // The program's thread-local variables alone are larger: they lie there, too.
        error = ::pthread_create(&thread, attributes(0).get(), enter, given.get());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0)
        throw std::system_error(error, std::system_category(), "pthread_create");
    given.release(); // the thread's
}

} // namespace twat::mp::detail
