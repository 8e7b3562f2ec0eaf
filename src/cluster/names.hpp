// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_NAMES_HPP
#define TWAT_MP_SRC_CLUSTER_NAMES_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace twat::mp::detail::cluster {

/** The subjects and the stream of one group and one build.

    Programs that may publish to `task` and to the inboxes can call every portable function of the program: a server's permissions are
    given by these names (see doc/cluster.md).
*/
class names
{
public:
    /// @param group As the user gave it; empty: the program's file name. Characters that have a meaning in subjects become `_`.
    explicit names(std::string_view group);
    /// The same for another build, for tests.
    names(std::string_view group, std::string build);

    const std::string& group() const noexcept { return group_; }
    const std::string& build() const noexcept { return build_; }

    std::string stream() const { return "TWATMP_" + group_ + "_" + build_; }
    std::string tasks() const { return base_ + ".task.*"; }
    std::string task(std::string_view kind) const { return base_ + ".task." + std::string(kind); }
    static constexpr const char* consumer = "agents";
    std::string next_task() const { return "$JS.API.CONSUMER.MSG.NEXT." + stream() + "." + consumer; }
    std::string delete_task() const { return "$JS.API.STREAM.MSG.DELETE." + stream(); }

    std::string presence() const { return "twatmp." + group_ + ".presence"; }
    std::string roll_call() const { return "twatmp." + group_ + ".rollcall"; }
    std::string pool(std::string_view id, std::string_view what) const;
    std::string agent(std::string_view id, std::string_view what) const;

private:
    std::string group_;
    std::string build_;
    std::string base_;
};

/// Under which a pool publishes a chunk: the stream drops what comes twice under one name.
/// @param renewed How often the chunk was published under a new name.
std::string make_chunk_name(std::string_view pool, std::uint64_t chunk, std::size_t renewed);
/// Whether the chunk may have been published under this name.
bool names_chunk(std::string_view name, std::string_view pool, std::uint64_t chunk);

/// One token of a subject.
std::string make_token(std::string_view text);

/// The last token of a subject.
std::string_view last_token(std::string_view subject) noexcept;

/// The identity of this program's build as a token.
std::string build_token();

/// The name of this program, for messages.
std::string program_text();

/// Never made twice, on any host.
std::string make_unique_id();

/// The addresses of brokers without the names and passwords in them: what messages show.
std::string without_secrets(const std::string& urls);

} // namespace twat::mp::detail::cluster

#endif
