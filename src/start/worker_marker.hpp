// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_WORKER_MARKER_HPP
#define TWAT_MP_SRC_START_WORKER_MARKER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// What a worker has as its descriptors from the start.
inline constexpr int worker_socket = 3, worker_page = 4, worker_doorbell = 5;

/// Pools in workers of pools: the program is 0, its workers are 1, and none is deeper than this.
inline constexpr std::size_t nesting_limit = 4;

// How a worker ends before it is one, for the parent to explain. Unusual numbers, which programs hardly use.
/// The program used the library without calling `run_if_worker`.
inline constexpr int not_entered_exit_code = 119;
/// The marker is there, but not the descriptors: somebody else has started the program with our variable.
inline constexpr int bad_start_exit_code = 118;

/** What a process learns from its parent through the environment: that it is a worker, and which. */
struct worker_marker
{
    std::size_t index = 0;   ///< The node, 0 to nodes-1.
    std::size_t depth = 1;   ///< Of nesting, from 1 to `nesting_limit`.
    int parent = 0;          ///< The pid that started it.
    std::uint64_t nonce = 0; ///< Of this one start; goes into the handshake.
    std::size_t cpus = 1;    ///< Its share of those that its parent may use.

    friend bool operator==(const worker_marker&, const worker_marker&) = default;
};

inline constexpr const char* worker_marker_name = "TWAT_MP_WORKER";

/// The entry for the worker's environment, `TWAT_MP_WORKER=...`.
std::string encode_marker(const worker_marker& marker);

/// Of what stands behind the `=`; nothing if it is not exactly what `encode_marker` makes.
std::optional<worker_marker> parse_marker(std::string_view text);

/// Not to be guessed by another process.
std::uint64_t make_nonce();

} // namespace twat::mp::detail

#endif
