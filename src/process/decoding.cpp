// SPDX-License-Identifier: BSL-1.0
#include "process/decoding.hpp"

#include <utility>

#include "process/codec_thread.hpp"

namespace twat::mp::detail {

void decoding::begin(const std::shared_ptr<decoding>& self, std::function<void()> told)
{
    const auto job = [self, told = std::move(told)] {
        if (self->dropped_.load(std::memory_order_relaxed))
            return;
        self->decode();
        told();
    };
    if (!codec_thread::post(job))
        self->decode();
}

void decoding::decode() noexcept
{
    try {
        decoder in(bytes_);
        value_ = decode_(in);
    }
    catch (...) {
        error_ = std::current_exception();
    }
    done_.store(true, std::memory_order_release);
}

} // namespace twat::mp::detail
