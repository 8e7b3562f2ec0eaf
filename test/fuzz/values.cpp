// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/error.hpp>

#include "everything.hpp"
#include "targets.hpp"

namespace twat::mp::fuzz {

// What was accepted is written and read again: it must be the same bytes.
void values(input bytes)
{
    try {
        decoder in(bytes);
        const auto value = in.read<everything>();
        encoder out;
        out.write(value);
        decoder again(out.bytes());
        const auto same = again.read<everything>();
        TWAT_MP_FUZZ_EXPECT(same.index() == value.index() && again.remaining() == 0);
    }
    catch (const error& e) {
        TWAT_MP_FUZZ_EXPECT(e.code() == errc::decode_failed);
    }
}

} // namespace twat::mp::fuzz
