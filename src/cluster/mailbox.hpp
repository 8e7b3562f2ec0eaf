// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_MAILBOX_HPP
#define TWAT_MP_SRC_CLUSTER_MAILBOX_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/broker_link.hpp"
#include "cluster/link_state.hpp"
#include "cluster/messages.hpp"

namespace twat::mp::detail::cluster {

/** What the broker's thread has for a pool's strand, which may not run for a while.

    A pool that is idle is not told anything, so that its context can run out of work. Of the agents' presence only the newest is kept; the rest is
    bounded, since whoever waits for an answer asks again.
*/
class mailbox
{
public:
    struct contents
    {
        link_state link;
        std::vector<std::pair<presence_message, time_point>> presence;
        std::vector<incoming> messages;
        bool unanswered = false; ///< Nobody listens where something was asked.
    };

    /// @param ring Has `take` called on the strand. Called in any thread, with nothing locked that it could want.
    explicit mailbox(std::function<void()> ring) : ring_(std::move(ring)) {}

    // In the broker's thread:
    void put(std::vector<incoming>&& messages, const std::string& presence_subject)
    {
        update([&] {
            for (incoming& message : messages) {
                if (message.subject() == presence_subject)
                    put_presence(message);
                else if (waiting_.messages.size() < most_messages)
                    waiting_.messages.push_back(std::move(message));
            }
        });
    }
    void connected(std::size_t max_payload)
    {
        update([&] {
            link_.connected(max_payload, clock::now());
            important_ = true;
        });
    }
    void disconnected()
    {
        update([&] { link_.disconnected(clock::now()); });
    }
    void unanswered()
    {
        update([&] { waiting_.unanswered = true; });
    }
    void failed(std::string why)
    {
        update([&] { link_.failure = std::move(why); });
    }

    // On the strand:
    contents take()
    {
        std::lock_guard lock(mutex_);
        rung_ = important_ = false;
        contents taken{link_, std::move(waiting_.presence), std::move(waiting_.messages),
                       std::exchange(waiting_.unanswered, false)};
        waiting_.presence.clear();
        waiting_.messages.clear();
        return taken;
    }
    /// Whether the strand is to be told of what comes.
    void listen(bool wanted)
    {
        update([&] { listening_ = wanted; });
    }
    /// It is told of the next agent that is heard of, whether it listens or not: somebody may wait for one.
    void listen_for_agents()
    {
        std::lock_guard lock(mutex_);
        for_agents_ = true;
    }

private:
    static constexpr std::size_t most_messages = 65536;

    template <class Change>
    void update(Change change)
    {
        {
            std::lock_guard lock(mutex_);
            change();
            const bool something = !waiting_.messages.empty() || !waiting_.presence.empty() || important_ || listening_;
            if (rung_ || !something || !(listening_ || (for_agents_ && !waiting_.presence.empty())))
                return;
            rung_ = true;
            for_agents_ = false;
        }
        ring_();
    }

    void put_presence(const incoming& message)
    {
        try {
            auto told = unpack<presence_message>(message.bytes()).first;
            for (auto& [known, when] : waiting_.presence)
                if (known.agent == told.agent) {
                    known = std::move(told);
                    when = message.when();
                    return;
                }
            waiting_.presence.emplace_back(std::move(told), message.when());
        }
        catch (const std::exception&) { // of a build that speaks in another way from the start
        }
    }

    const std::function<void()> ring_;
    std::mutex mutex_;
    contents waiting_; // but the link
    link_state link_;
    bool listening_ = false;
    bool for_agents_ = false;
    bool important_ = false;
    bool rung_ = false;
};

} // namespace twat::mp::detail::cluster

#endif
