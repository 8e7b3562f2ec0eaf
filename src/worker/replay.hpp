// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_REPLAY_HPP
#define TWAT_MP_SRC_WORKER_REPLAY_HPP

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace twat::mp::detail {

/// What `--twat-mp-replay FILE [--show]` asks for.
struct replay_request
{
    std::string file;    ///< Empty: none was named.
    std::string surplus; ///< An argument that means nothing; empty: there is none.
    bool show = false;
};

/// Nothing: the arguments of the program do not ask for a replay. @param arguments Without the program's name.
std::optional<replay_request> find_replay(std::span<const std::string> arguments);

/// Runs the call, or shows it. Returns the exit code: 0, or 1 if the task threw, or 2 if it cannot be run; messages go to stderr, what is shown
/// to stdout.
int run_replay(const replay_request& request) noexcept;

} // namespace twat::mp::detail

#endif
