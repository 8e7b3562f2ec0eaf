// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_LIFE_PHASE_HPP
#define TWAT_MP_LIFE_PHASE_HPP

#include <twat/mp/config.hpp>

namespace twat::mp {

/// What a worker process is doing.
enum class life_phase {
    unknown,     ///< The worker had not marked it, or its mark is not one of these.
    start,       ///< It is being launched, or has not answered yet.
    initializer, ///< It runs `pool_options::initializer`.
    idle,        ///< It is ready, and between tasks.
    decode,      ///< It reads a task's arguments.
    call,        ///< It is in the user's function.
    encode,      ///< It writes the task's result.
    finalizer,   ///< It was asked to end: it runs `pool_options::finalizer`, or ends.
};

/// "decoding the arguments", say: it stands behind "while ".
TWAT_MP_DECL const char* to_string(life_phase phase) noexcept;

/// Whether the system killed a worker process because memory ran out.
enum class memory_verdict {
    unknown,  ///< The system does not tell.
    unlikely, ///< It ended in another way, or the system killed nothing at the time.
    likely,   ///< It was killed, and the kernel recorded an out-of-memory kill.
};

/// "unknown", "unlikely", "likely".
TWAT_MP_DECL const char* to_string(memory_verdict verdict) noexcept;

} // namespace twat::mp

#endif
