// SPDX-License-Identifier: BSL-1.0
#include "jpeg_guard.hpp"

#include <jerror.h>

namespace offload {
namespace {

constexpr int most_padding = 16;

} // namespace

jpeg_guard::jpeg_guard()
{
    static_assert(std::is_standard_layout_v<jpeg_guard>);
    jpeg_std_error(&errors_);
    errors_.error_exit = &fail;
    errors_.emit_message = &warn;
}

void jpeg_guard::fail(j_common_ptr object)
{
    auto* const self = reinterpret_cast<jpeg_guard*>(object->err);
    object->err->format_message(object, self->message_);
    std::longjmp(self->back_, 1);
}

/// libjpeg fills in grey for what it cannot decode and calls that a warning. Half a picture is damaged, so it is an error here.
void jpeg_guard::warn(j_common_ptr object, int level)
{
    if (level >= 0)
        return; // a trace message
    switch (object->err->msg_code) {
    case JWRN_ADOBE_XFORM: // what it assumes instead is right
    case JWRN_JFIF_MAJOR: return;
    case JWRN_EXTRANEOUS_DATA: // a few bytes are padding, as some cameras write it; more are data that got lost
        if (object->err->msg_parm.i[0] <= most_padding)
            return;
        [[fallthrough]];
    default: fail(object);
    }
}

} // namespace offload
