// SPDX-License-Identifier: BSL-1.0
// Pool, stream and agents as state machines, and everything between them as a queue that loses, repeats and reorders what is in it.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cluster/agent_desk.hpp"
#include "cluster/chunk_ledger.hpp"
#include "cluster/membership.hpp"

namespace twat::mp::detail::cluster {
namespace {

using namespace std::chrono_literals;

constexpr duration lease = 2s;

class simulation
{
public:
    explicit simulation(unsigned seed) : random_(seed), members_("build", lease) { members_.connected(now_); }

    /// Runs `chunks` chunks on a few agents under all that can go wrong. @return What was violated; empty: nothing.
    std::string run(std::uint64_t chunks)
    {
        for (int i = 0; i != 3; ++i)
            join();
        const time_point disturbed_until = now_ + 20s;
        std::uint64_t next = 0;
        while (now_ < time_point() + 200s) {
            const bool quiet = now_ >= disturbed_until;
            if (next != chunks && ledger_.size() < 8)
                submit(++next);
            if (!quiet && chance(0.004))
                kill_agent();
            if (!quiet && chance(0.004))
                join();
            if (!quiet && chance(0.004))
                cut_link();
            if (!quiet && chance(0.002) && broker_up_)
                stop_broker();
            loss_ = quiet ? 0 : 0.05;
            advance();
            if (agents_.empty())
                join();
            if (!broken_.empty())
                return broken_;
            if (next == chunks && ledger_.empty() && quiet)
                break;
        }
        for (std::uint64_t id = 1; id <= next; ++id)
            if (answers_[id] != 1)
                return "chunk " + std::to_string(id) + " has " + std::to_string(answers_[id]) + " answers";
        for (const auto& [id, times] : runs_)
            if (times > 1)
                return "chunk " + std::to_string(id) + " ran " + std::to_string(times) + " times";
        return {};
    }

    std::size_t lost() const { return lost_; }

private:
    struct waiting_chunk
    {
        std::string message_id;
        bool pending = false;
        time_point again_at{};
    };
    struct agent_state
    {
        std::string id;
        agent_desk desk;
        std::map<std::uint64_t, time_point> running; // and when each ends
        time_point pull_at{}, presence_at{};
        time_point cut_until{}; // its link to the broker, which neither end notices
    };

    bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
    duration any(duration most)
    {
        return duration(std::uniform_int_distribution<duration::rep>(0, most.count())(random_));
    }

    /// A message through the broker: late, perhaps twice, perhaps never.
    void send(std::function<void()> arrive)
    {
        if (!broker_up_ || chance(loss_))
            return;
        events_.emplace(now_ + held_up_ + any(20ms), arrive);
        if (chance(loss_))
            events_.emplace(now_ + held_up_ + any(500ms), arrive);
    }

    void submit(std::uint64_t id)
    {
        ledger_.add(id);
        publish(id);
    }
    void publish(std::uint64_t id)
    {
        unstored_.insert(id);
        send([this, id] {
            const std::string name = std::to_string(id) + "." + std::to_string(renewed_[id]);
            if (known_.insert(name).second)
                stream_[++sequence_] = {id, {name}};
            send([this, id, number = sequence_] {
                ledger_.stored(id, number);
                unstored_.erase(id);
            });
        });
    }

    void join()
    {
        auto made = std::make_shared<agent_state>();
        made->id = "agent" + std::to_string(++last_agent_);
        agents_.push_back(made);
    }
    void kill_agent()
    {
        if (!agents_.empty())
            agents_.erase(agents_.begin() + static_cast<std::ptrdiff_t>(random_() % agents_.size()));
    }
    /// What the agent sends arrives when the link is back, and what it is sent meanwhile does not.
    void cut_link()
    {
        if (!agents_.empty())
            agents_[random_() % agents_.size()]->cut_until = now_ + any(8 * lease);
    }
    void stop_broker()
    {
        broker_up_ = false;
        members_.disconnected();
        for (const auto& a : agents_)
            a->desk.disconnected();
        // What had not reached the disk is gone.
        if (chance(0.5) && !stream_.empty()) {
            known_.erase(stream_.rbegin()->second.second.message_id);
            stream_.erase(std::prev(stream_.end()));
        }
        const duration away = any(4s);
        events_.emplace(now_ + away, [this, away] {
            broker_up_ = true;
            members_.connected(now_);
            for (const auto& a : agents_)
                a->desk.connected(now_);
            for (const std::uint64_t id : ledger_.to_publish_again()) {
                renewed_[id] += away > lease / 2;
                publish(id);
            }
        });
    }

    std::shared_ptr<agent_state> find(const std::string& id) const
    {
        for (const auto& a : agents_)
            if (a->id == id)
                return a->cut_until <= now_ ? a : nullptr;
        return nullptr;
    }

    // The stream
    void deliver(const std::string& agent)
    {
        for (auto& [number, held] : stream_)
            if (auto& [id, chunk] = held; !chunk.pending || chunk.again_at <= now_) {
                chunk.pending = true;
                chunk.again_at = now_ + lease;
                send([this, agent, id = id, ack = std::to_string(number)] {
                    if (const auto a = find(agent)) {
                        task_message task;
                        task.lease = lease;
                        a->desk.delivered({"pool", id}, task, ack, now_);
                    }
                });
                return;
            }
    }
    void acknowledge(const std::string& ack, const std::string& how)
    {
        send([this, number = std::stoull(ack), how] {
            const auto found = stream_.find(number);
            if (found == stream_.end())
                return;
            if (how == "+WPI")
                found->second.second.again_at = now_ + lease;
            else if (how == "-NAK")
                found->second.second.pending = false;
            else
                stream_.erase(found);
        });
    }

    // The pool
    void answer(std::uint64_t id) { ++answers_[id]; }
    void lose(const std::vector<chunk_ledger::lost_chunk>& lost)
    {
        for (const auto& chunk : lost) {
            ++lost_;
            answer(chunk.id);
            acknowledge(chunk.what.ack, "+ACK");
        }
    }

    // An agent
    void step(const std::shared_ptr<agent_state>& a)
    {
        if (!broker_up_)
            return;
        if (a->presence_at <= now_) {
            a->presence_at = now_ + lease / 4;
            presence_message told;
            told.build = "build";
            told.agent = a->id;
            told.nodes = 2;
            send([this, told] { members_.heard(told, now_); });
        }
        while (const chunk_key* const next = a->desk.next_waiting()) {
            if (a->desk.occupied(16) >= 2)
                break;
            a->desk.claim(chunk_key(*next), now_);
        }
        const auto due = a->desk.take_due(now_);
        for (const auto& [key, entry] : due.orphans) {
            a->running.erase(key.chunk);
            acknowledge(entry.ack, "+TERM");
            give_up(key.chunk);
        }
        for (const auto& [key, entry] : due.returned)
            acknowledge(entry.ack, "-NAK");
        for (const std::string& ack : due.renewals)
            acknowledge(ack, "+WPI");
        for (const chunk_key& key : due.claims)
            claim(*a, key);
        for (const chunk_key& key : due.outcomes)
            send_outcome(*a, key);
        for (const std::string& pool : due.pools)
            tell_alive(*a, pool);
        for (auto it = a->running.begin(); it != a->running.end();)
            if (it->second <= now_) {
                a->desk.finished({"pool", it->first}, now_);
                it = a->running.erase(it);
            } else {
                ++it;
            }
        if (a->pull_at <= now_ &&
            a->desk.occupied(16) + static_cast<double>(a->desk.count(agent_desk::stage::waiting)) < 3) {
            a->pull_at = now_ + 50ms;
            send([this, id = a->id] { deliver(id); });
        }
    }
    void claim(const agent_state& a, const chunk_key& key)
    {
        send([this, agent = a.id, key, ack = a.desk.find(key)->ack, delivery = a.desk.find(key)->delivery] {
            if (!members_.heard(agent, now_))
                return;
            const verdict told = ledger_.claim(key.chunk, agent, ack);
            send([this, agent, key, told, ack, delivery] {
                const auto here = find(agent);
                if (!here || !here->desk.answered(key, delivery, told, now_))
                    return;
                if (told == verdict::unknown)
                    acknowledge(ack, "+TERM");
                if (told != verdict::run)
                    return;
                ++runs_[key.chunk];
                here->running[key.chunk] = now_ + any(3s);
            });
        });
    }
    void give_up(std::uint64_t id)
    {
        return;
        send([this, id] {
            if (!ledger_.is_to_be_published_again(id))
                return;
            ++renewed_[id];
            publish(id);
        });
    }
    void send_outcome(const agent_state& a, const chunk_key& key)
    {
        send([this, agent = a.id, key] {
            members_.heard(agent, now_);
            if (const auto what = ledger_.settle(key.chunk, agent)) {
                answer(key.chunk);
                acknowledge(what->ack, "+ACK");
            }
            send([this, agent, key] {
                if (const auto here = find(agent))
                    here->desk.forget(key);
            });
        });
    }
    void tell_alive(const agent_state& a, const std::string& pool)
    {
        send([this, agent = a.id, pool, told = a.desk.chunks_of(pool)] {
            members_.heard(agent, now_);
            lose(ledger_.reconcile(agent, told));
            send([this, agent, unwanted = ledger_.unwanted(agent, told)] {
                if (const auto here = find(agent)) {
                    here->desk.pool_heard("pool", now_);
                    for (const std::uint64_t id : unwanted) {
                        here->desk.forget({"pool", id});
                        here->running.erase(id);
                    }
                }
            });
        });
    }

    void advance()
    {
        now_ += 10ms;
        while (!events_.empty() && events_.begin()->first <= now_) {
            const auto event = events_.begin()->second;
            events_.erase(events_.begin());
            event();
        }
        for (const auto& a : std::vector(agents_)) {
            held_up_ = std::max(duration(0), a->cut_until - now_);
            step(a);
            held_up_ = duration(0);
        }
        if (broker_up_ && now_ >= look_at_unstored_) {
            look_at_unstored_ = now_ + lease / 2;
            for (const std::uint64_t id : ledger_.to_publish_again())
                if (unstored_.contains(id))
                    publish(id);
        }
        for (const auto& gone :
             members_.take_lost(now_, [&](const std::string& id) { return ledger_.given_to(id) != 0; }))
            lose(ledger_.lose(gone.told.agent));
    }

    std::mt19937 random_;
    time_point now_{};
    std::multimap<time_point, std::function<void()>> events_;
    std::set<std::uint64_t> unstored_;
    time_point look_at_unstored_{};
    double loss_ = 0;
    duration held_up_{0}; // what is sent now, by a link that is cut
    bool broker_up_ = true;
    std::string broken_;

    std::map<std::uint64_t, std::pair<std::uint64_t, waiting_chunk>> stream_; // by number
    std::uint64_t sequence_ = 0;
    std::set<std::string> known_; // names that the stream has seen
    std::map<std::uint64_t, int> renewed_;

    chunk_ledger ledger_;
    membership members_;
    std::map<std::uint64_t, int> answers_, runs_;
    std::size_t lost_ = 0;

    std::vector<std::shared_ptr<agent_state>> agents_;
    int last_agent_ = 0;
};

BOOST_AUTO_TEST_SUITE(test_cluster_simulation)

BOOST_AUTO_TEST_CASE(every_chunk_is_answered_once_and_runs_at_most_once)
{
    const char* const wanted = std::getenv("TWAT_MP_SIMULATIONS");
    const unsigned schedules = wanted ? static_cast<unsigned>(std::atoi(wanted)) : 300;
    std::size_t lost = 0;
    for (unsigned seed = 1; seed <= schedules; ++seed) {
        simulation s(seed);
        const std::string violated = s.run(60);
        BOOST_REQUIRE_MESSAGE(violated.empty(), "seed " << seed << ": " << violated);
        lost += s.lost();
    }
    BOOST_TEST(lost > 0u); // the schedules are hard enough
    BOOST_TEST_MESSAGE(schedules << " schedules of 60 chunks; " << lost << " chunks were on hosts that were lost");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::detail::cluster
