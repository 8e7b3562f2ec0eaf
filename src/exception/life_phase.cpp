// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/life_phase.hpp>

namespace twat::mp {

const char* to_string(life_phase phase) noexcept
{
    switch (phase) {
    case life_phase::start: return "starting";
    case life_phase::initializer: return "running the initializer";
    case life_phase::idle: return "idle";
    case life_phase::decode: return "decoding the arguments";
    case life_phase::call: return "calling the function";
    case life_phase::encode: return "encoding the result";
    case life_phase::finalizer: return "ending";
    case life_phase::unknown: break;
    }
    return "doing nobody knows what";
}

const char* to_string(memory_verdict verdict) noexcept
{
    switch (verdict) {
    case memory_verdict::likely: return "likely";
    case memory_verdict::unlikely: return "unlikely";
    case memory_verdict::unknown: break;
    }
    return "unknown";
}

} // namespace twat::mp
