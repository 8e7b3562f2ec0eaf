// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_CHUNK_LEDGER_HPP
#define TWAT_MP_SRC_CLUSTER_CHUNK_LEDGER_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/messages.hpp"

namespace twat::mp::detail::cluster {

/** A pool's outstanding chunks: which wait in the stream, which agent has which. No I/O and no clock.

    The stream delivers a chunk at least once; that its tasks run at most once is decided here and nowhere else: an agent begins a chunk only when
    its claim was answered with `run`, and a chunk is given to one agent. So what is not given to anybody has provably not begun, however often
    it was published or delivered; what is given may have begun from this moment on.
*/
class chunk_ledger
{
public:
    using chunk_id = std::uint64_t;

    struct outstanding
    {
        std::vector<std::uint64_t> sequences; ///< Of all its copies in the stream, as far as it said so.
        std::string agent;                    ///< Who has it; empty: nobody.
        std::uint64_t delivery = 0;           ///< Which of the agent's it was given for.
        std::string ack;                      ///< Where it is acknowledged; the newest that the agent told.
        bool unnamed_once = false;            ///< The agent did not name it when it told what it has.
        bool outlived = false; ///< The broker was away in its time: what the stream knows of it is not certain.

        bool is_given() const noexcept { return !agent.empty(); }
    };

    /// A chunk is published. @pre It is not here.
    void add(chunk_id id) { chunks_.try_emplace(id); }
    const outstanding* find(chunk_id id) const noexcept;
    std::size_t size() const noexcept { return chunks_.size(); }
    bool empty() const noexcept { return chunks_.empty(); }

    /// The stream has it. False: nobody wants it any more, and it can be deleted there.
    bool stored(chunk_id id, std::uint64_t sequence);
    /// The broker was away and is back.
    void came_back() noexcept;

    /// An agent was delivered the chunk and wants to run it. For the same delivery it gets the same answer again: answers can be lost.
    verdict claim(chunk_id id, const std::string& agent, std::uint64_t delivery, const std::string& ack);

    /// To be asked before `claim`: an agent to which a chunk was given, and delivered anew, has dropped it in between, perhaps after it had begun. Such
    /// a chunk is lost.
    std::optional<outstanding> take_dropped(chunk_id id, const std::string& agent, std::uint64_t delivery);

    /// Takes back a chunk that was not given to anybody. Nothing if it was, or is not here.
    std::optional<outstanding> withdraw(chunk_id id);

    /// The outcome of a chunk came. Nothing if it is not wanted from this agent: a duplicate, or somebody else has the chunk by now.
    std::optional<outstanding> settle(chunk_id id, const std::string& agent);

    /// Nobody waits for the chunk any more, whoever has it.
    std::optional<outstanding> forget(chunk_id id);

    struct lost_chunk
    {
        chunk_id id;
        outstanding what;
    };

    /// An agent is gone, and what was given to it with it.
    std::vector<lost_chunk> lose(const std::string& agent);

    /// An agent tells what it has. Chunks that it does not name, twice in a row, are lost: the answer to its claim may still be on the way the
    /// first time.
    std::vector<lost_chunk> reconcile(const std::string& agent, const std::vector<chunk_id>& told);

    /// Of what an agent has, what is not its.
    std::vector<chunk_id> unwanted(const std::string& agent, const std::vector<chunk_id>& told) const;

    /// The broker may have lost what was sent: these are published again. What agents have is told by them.
    std::vector<chunk_id> to_publish_again() const;
    /// Whether it is one of these.
    bool is_to_be_published_again(chunk_id id) const noexcept;

    /// Chunks that an agent has.
    std::size_t given_to(const std::string& agent) const noexcept;

    void clear() noexcept { chunks_.clear(); }

private:
    std::map<chunk_id, outstanding> chunks_; // in the order of their submission
};

} // namespace twat::mp::detail::cluster

#endif
