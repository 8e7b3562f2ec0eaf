// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_W6_START_HPP
#define TWAT_MP_BENCH_W6_START_HPP

namespace bench {

/// Whether this process was started by the floor of W6; then it has told so on descriptor 3, and waited for its end there.
bool answer_if_started_by_floor(int argc, char** argv);

} // namespace bench

#endif
