// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PICTURE_JPEG_GUARD_HPP
#define OFFLOAD_PICTURE_JPEG_GUARD_HPP

#include <csetjmp>
#include <cstddef>
#include <cstdio> // jpeglib.h needs it

#include <jpeglib.h>

#include <type_traits>

namespace offload {

/** The error manager of a libjpeg object.

    libjpeg's error function must not return, so it jumps: out of libjpeg, back into `run`. A jump over a C++ object that has a destructor is
    undefined behaviour, therefore a step given to `run` consists of calls of libjpeg only, and so do the callbacks that may report errors.
    What runs between the steps is ordinary C++.
*/
class jpeg_guard
{
public:
    jpeg_guard();
    jpeg_guard(const jpeg_guard&) = delete;

    jpeg_error_mgr* manager() { return &errors_; }

    /// False: the step was left by an error, which `message` describes. The libjpeg object can only be destroyed then.
    template <class Step>
    [[gnu::noinline]] bool run(const Step& step)
    {
        static_assert(std::is_trivially_copyable_v<Step> && std::is_trivially_destructible_v<Step>);
        if (setjmp(back_) != 0)
            return false;
        step();
        return true;
    }

    const char* message() const { return message_; }

private:
    [[noreturn]] static void fail(j_common_ptr object);
    static void warn(j_common_ptr object, int level);

    jpeg_error_mgr errors_; // the first member: libjpeg's pointer to it is one to this object
    std::jmp_buf back_;
    char message_[JMSG_LENGTH_MAX] = {};
};

} // namespace offload

#endif
