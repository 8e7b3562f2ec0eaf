// SPDX-License-Identifier: BSL-1.0
// One target for libFuzzer: TWAT_MP_FUZZ_TARGET names it.
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    twat::mp::fuzz::TWAT_MP_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
    return 0;
}
