// SPDX-License-Identifier: BSL-1.0
// Pool, stream and agents as state machines, and everything between them as a network that loses, repeats and reorders what is in it.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/agent_desk.hpp"
#include "cluster/chunk_ledger.hpp"
#include "cluster/leftovers.hpp"
#include "cluster/link_state.hpp"
#include "cluster/membership.hpp"
#include "cluster/names.hpp"

namespace twat::mp::detail::cluster {
namespace {

using namespace std::chrono_literals;

constexpr duration lease = 2s;
constexpr duration tick = 10ms;

/// What a broker that is killed has not written down.
constexpr duration last_moments = 1s;

/// The stream and its consumer, as far as a pool and agents see them.
class stream
{
public:
    struct message
    {
        std::uint64_t chunk = 0;
        std::string name;
        time_point stored_at{};
        bool pending = false; // somebody was given it
        time_point again_at{};
        bool buried = false; // the consumer takes it for acknowledged: nobody gets it
    };

    std::uint64_t store(std::uint64_t chunk, const std::string& name, time_point now)
    {
        if (names_.contains(name))
            return names_.at(name);
        messages_[++last_] = {chunk, name, now};
        numbers_.emplace_back(now, last_);
        return names_[name] = last_;
    }
    /// The next one for whoever asks.
    const message* deliver(time_point now, std::uint64_t& number)
    {
        for (auto& [n, m] : messages_)
            if (!m.buried && (!m.pending || m.again_at <= now)) {
                m.pending = true;
                m.again_at = now + lease;
                number = n;
                return &m;
            }
        return nullptr;
    }
    void acknowledge(std::uint64_t number, const std::string& how, time_point now)
    {
        const auto found = messages_.find(number);
        if (found == messages_.end())
            return;
        if (how == "+WPI")
            found->second.again_at = now + lease;
        else if (how == "-NAK")
            found->second.pending = false;
        else
            remove(number, now);
    }
    const message* find(std::uint64_t number) const
    {
        const auto found = messages_.find(number);
        return found == messages_.end() ? nullptr : &found->second;
    }
    void remove(std::uint64_t number, time_point now)
    {
        if (const auto taken = messages_.extract(number))
            removed_.emplace_back(now, std::pair(number, taken.mapped()));
    }
    /// @param forgets What came last is gone, with its numbers; what was removed last is back, and `buried` says whether the consumer still knows.
    void restart(bool forgets, bool buried, time_point now)
    {
        if (forgets) {
            for (auto& [when, removed] : removed_)
                if (now - when < last_moments) {
                    removed.second.buried = buried;
                    messages_.insert(removed);
                }
            std::erase_if(messages_, [&](const auto& m) {
                if (now - m.second.stored_at >= last_moments)
                    return false;
                names_.erase(m.second.name);
                return true;
            });
            while (!numbers_.empty() && now - numbers_.back().first < last_moments)
                numbers_.pop_back();
            last_ = numbers_.empty() ? 0 : numbers_.back().second;
        }
        removed_.clear();
    }
    /// Its wall clock went forward: names are forgotten after two minutes, and what was delivered is delivered again.
    void clock_stepped()
    {
        names_.clear();
        for (auto& [n, m] : messages_)
            m.pending = false;
    }
    std::size_t size() const { return messages_.size(); }

private:
    std::map<std::uint64_t, message> messages_;
    std::map<std::string, std::uint64_t> names_;
    std::uint64_t last_ = 0;
    std::deque<std::pair<time_point, std::uint64_t>> numbers_;
    std::deque<std::pair<time_point, std::pair<std::uint64_t, message>>> removed_;
};

class simulation
{
public:
    explicit simulation(unsigned seed) : random_(seed)
    {
        pool_.watch.connected(1024, now_);
        pool_.linked = true;
    }

    /// Runs `chunks` chunks on a few agents under all that can go wrong. @return What was violated; empty: nothing.
    std::string run(std::uint64_t chunks)
    {
        for (int i = 0; i != 3; ++i)
            join();
        const time_point disturbed_until = now_ + 20s;
        std::uint64_t next = 0;
        while (now_ < time_point() + 200s) {
            const bool quiet = now_ >= disturbed_until;
            loss_ = quiet ? 0 : 0.05;
            if (!quiet)
                disturb();
            if (next != chunks && pool_.ledger.size() < 8 && pool_.asleep_until <= now_)
                submit(++next);
            advance();
            if (agents_.empty())
                join();
            if (next == chunks && pool_.ledger.empty() && quiet && stream_.size() == 0)
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
    std::size_t coalesced() const { return coalesced_; }
    std::size_t left() const { return stream_.size(); }

private:
    using handler = std::function<void()>;

    struct agent_state
    {
        std::string id;
        agent_desk desk;
        std::map<std::uint64_t, time_point> running{}; // and when each ends
        time_point pull_at{}, presence_at{};
        bool linked = true;
        time_point cut_until{}; // its link to the broker, which neither end notices
        duration skew{};        // of its clock
    };
    using agent_ptr = std::shared_ptr<agent_state>;

    struct pool_state
    {
        chunk_ledger ledger{};
        membership members{"build", lease};
        leftovers left{};
        std::set<std::uint64_t> unstored{};
        time_point look_at_unstored{};
        std::map<std::uint64_t, std::size_t> renewed{};
        // in the thread of its link:
        link_state watch{};
        bool linked = false;
        std::vector<handler> mail{};
        // on its strand:
        link_state link{};
        time_point asleep_until{};
        duration skew{};
    };

    bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
    duration any(duration most)
    {
        return duration(std::uniform_int_distribution<duration::rep>(0, most.count())(random_));
    }
    time_point pool_now() const { return now_ + pool_.skew; }
    time_point agent_now(const agent_state& a) const { return now_ + a.skew; }
    agent_ptr any_agent() { return agents_.empty() ? nullptr : agents_[random_() % agents_.size()]; }
    void at(duration later, handler f) { events_.emplace(now_ + later, std::move(f)); }

    // ------------------------------------------------------------ what goes wrong

    void disturb()
    {
        if (chance(0.004) && !agents_.empty())
            agents_.erase(agents_.begin() + static_cast<std::ptrdiff_t>(random_() % agents_.size()));
        if (chance(0.004))
            join();
        // What an agent sends arrives when the link is back, and what it is sent meanwhile does not.
        if (const agent_ptr a = any_agent(); a && chance(0.004))
            a->cut_until = now_ + any(8 * lease);
        if (chance(0.002) && broker_up_)
            stop_broker();
        if (chance(0.002) && pool_.linked) {
            unlink_pool();
            link_pool_within(2 * lease);
        }
        // A handler of the user's that takes its time.
        if (chance(0.004))
            pool_.asleep_until = std::max(pool_.asleep_until, now_ + any(2 * lease));
        // A host that was suspended.
        if (chance(0.001))
            pool_.skew += any(3 * lease);
        if (const agent_ptr a = any_agent(); a && chance(0.001))
            a->skew += any(3 * lease);
        if (chance(0.001))
            stream_.clock_stepped();
    }

    void join()
    {
        auto made = std::make_shared<agent_state>();
        made->id = "agent" + std::to_string(++last_agent_);
        made->linked = broker_up_;
        agents_.push_back(made);
    }

    void stop_broker()
    {
        broker_up_ = false;
        ++broker_life_;
        const bool forgets = chance(0.5), buries = chance(0.5);
        stream_.restart(forgets, buries, now_);
        unlink_pool();
        for (const agent_ptr& a : agents_)
            if (std::exchange(a->linked, false))
                a->desk.disconnected();
        at(any(4s), [this] {
            broker_up_ = true;
            for (const agent_ptr& a : agents_)
                at(any(300ms), [this, a] {
                    if (!broker_up_ || std::exchange(a->linked, broker_up_))
                        return;
                    a->desk.connected(agent_now(*a));
                });
            link_pool_within(chance(0.5) ? duration(300ms) : 2 * lease);
        });
    }
    void unlink_pool()
    {
        if (!std::exchange(pool_.linked, false))
            return;
        pool_.watch.disconnected(pool_now());
    }
    void link_pool_within(duration most)
    {
        at(any(most), [this] {
            if (!broker_up_ || std::exchange(pool_.linked, true))
                return;
            pool_.watch.connected(1024, pool_now());
            pool_.left.came_back();
            coalesced_ += pool_.link.online; // the strand never knew
        });
    }

    // ------------------------------------------------------------ the network

    /// A message through the broker: late, perhaps twice, perhaps never.
    void send(bool linked, handler arrive)
    {
        if (!broker_up_ || !linked || chance(loss_))
            return;
        const unsigned life = broker_life_;
        const handler unless_it_was_killed = [this, life, arrive = std::move(arrive)] {
            if (broker_up_ && life == broker_life_)
                arrive();
        };
        at(held_up_ + any(20ms), unless_it_was_killed);
        if (chance(loss_))
            at(held_up_ + any(500ms), unless_it_was_killed);
    }
    void from_pool(handler arrive) { send(pool_.link.online && pool_.linked, std::move(arrive)); }
    /// What an agent asks of the pool, or tells it. If there is no pool, it hears so from the broker.
    void to_pool(const agent_state& a, handler arrive)
    {
        send(a.linked, [this, id = a.id, arrive = std::move(arrive)] {
            if (pool_.linked)
                pool_.mail.push_back(arrive);
            else
                to_agent(id, [this](const agent_ptr& here) { here->desk.unanswered(agent_now(*here)); });
        });
    }
    /// From the broker or the pool.
    void to_agent(const std::string& id, std::function<void(const agent_ptr&)> arrive)
    {
        at(any(20ms), [this, id, arrive = std::move(arrive)] {
            for (const agent_ptr& a : std::vector(agents_))
                if (a->id == id && a->linked && a->cut_until <= now_)
                    arrive(a);
        });
    }
    void tell_agent(const std::string& id, std::function<void(const agent_ptr&)> arrive)
    {
        from_pool([this, id, arrive = std::move(arrive)] { to_agent(id, arrive); });
    }

    // ------------------------------------------------------------ the pool

    void submit(std::uint64_t id)
    {
        pool_.ledger.add(id);
        publish(id);
    }
    void publish(std::uint64_t id)
    {
        pool_.unstored.insert(id);
        from_pool([this, id, name = make_chunk_name("pool", id, pool_.renewed[id])] {
            const std::uint64_t number = stream_.store(id, name, now_);
            if (!chance(loss_) && pool_.linked)
                pool_.mail.push_back([this, id, number] {
                    pool_.unstored.erase(id);
                    if (!pool_.ledger.stored(id, number))
                        take_out({}, id, {number}, true);
                });
        });
    }
    void withdraw(std::uint64_t id, const chunk_ledger::outstanding& what)
    {
        pool_.unstored.erase(id);
        std::vector<std::uint64_t> numbers = what.sequences;
        if (!what.ack.empty())
            if (const std::uint64_t delivered = std::stoull(what.ack); std::ranges::count(numbers, delivered) == 0)
                numbers.push_back(delivered);
        take_out(what.ack, id, numbers, what.outlived || numbers.size() > 1);
    }
    void take_out(const std::string& ack, std::uint64_t id, const std::vector<std::uint64_t>& numbers, bool doubtful)
    {
        if (!ack.empty() && !doubtful)
            from_pool([this, ack] { stream_.acknowledge(std::stoull(ack), "+ACK", now_); });
        for (const std::uint64_t number : numbers) {
            if (!pool_.linked)
                pool_.left.removed_unheard({number, id}, pool_now());
            else if (doubtful)
                pool_.left.suspect({number, id});
            else
                pool_.left.removed({number, id}, pool_now());
        }
    }
    /// Without loss: who looks asks again until there is an answer.
    void look_for_leftovers()
    {
        if (!broker_up_ || !pool_.linked)
            return;
        for (const stored_chunk& what : pool_.left.take()) {
            pool_.left.removed(what, pool_now());
            if (const stream::message* const m = stream_.find(what.sequence);
                m && names_chunk(m->name, "pool", what.chunk)) {
                stream_.remove(what.sequence, now_);
            }
        }
    }
    void lose(const std::vector<chunk_ledger::lost_chunk>& lost)
    {
        for (const auto& [id, what] : lost) {
            ++lost_;
            ++answers_[id];
            withdraw(id, what);
        }
    }
    void on_link()
    {
        const link_state before = std::exchange(pool_.link, pool_.watch);
        const link_state& now = pool_.link;
        if (!now.online)
            return pool_.members.disconnected();
        if (now.connections == before.connections)
            return;
        pool_.members.connected(now.since);
        pool_.ledger.came_back();
        for (const std::uint64_t id : pool_.ledger.to_publish_again()) {
            pool_.renewed[id] += now.came_back_since(before);
            publish(id);
        }
    }
    void step_pool()
    {
        look_for_leftovers(); // in the link's thread
        if (pool_.asleep_until > now_)
            return;
        on_link();
        for (const handler& message : std::exchange(pool_.mail, {}))
            message();
        const auto holds = [&](const std::string& id) { return pool_.ledger.given_to(id) != 0; };
        for (const auto& other : pool_.members.without_chunks(pool_now(), holds))
            lose(pool_.ledger.lose(other.told.agent));
        for (const auto& gone : pool_.members.take_lost(pool_now(), holds))
            lose(pool_.ledger.lose(gone.told.agent));
        if (pool_.link.online && pool_now() >= pool_.look_at_unstored) {
            pool_.look_at_unstored = pool_now() + lease / 2;
            for (const std::uint64_t id : std::set(pool_.unstored))
                publish(id);
        }
    }

    // ------------------------------------------------------------ an agent

    void acknowledge(const agent_state& a, const std::string& ack, const std::string& how)
    {
        send(a.linked, [this, number = std::stoull(ack), how] { stream_.acknowledge(number, how, now_); });
    }
    void step(const agent_ptr& a)
    {
        const time_point now = agent_now(*a);
        for (auto it = a->running.begin(); it != a->running.end();)
            if (it->second <= now_) {
                a->desk.finished({"pool", it->first}, now);
                it = a->running.erase(it);
            } else {
                ++it;
            }
        if (!a->linked)
            return;
        if (a->presence_at <= now) {
            a->presence_at = now + lease / 4;
            presence_message told;
            told.build = "build";
            told.agent = a->id;
            told.nodes = 2;
            to_pool(*a, [this, told, when = now_] {
                pool_.members.heard(told, std::max(when, now_ - 100ms) + pool_.skew);
            });
        }
        while (const chunk_key* const next = a->desk.next_waiting()) {
            if (a->desk.occupied(16) >= 2)
                break;
            a->desk.claim(chunk_key(*next), now);
        }
        const auto due = a->desk.take_due(now);
        for (const auto& [key, entry] : due.orphans) {
            a->running.erase(key.chunk);
            give_up(*a, key.chunk, entry);
        }
        for (const auto& [key, entry] : due.returned)
            acknowledge(*a, entry.ack, "-NAK");
        for (const std::string& ack : due.renewals)
            acknowledge(*a, ack, "+WPI");
        for (const chunk_key& key : due.claims)
            claim(*a, key);
        for (const chunk_key& key : due.outcomes)
            send_outcome(*a, key);
        for (const std::string& pool : due.pools)
            tell_alive(*a, pool);
        if (a->pull_at <= now &&
            a->desk.occupied(16) + static_cast<double>(a->desk.count(agent_desk::stage::waiting)) < 3) {
            a->pull_at = now + 50ms;
            send(a->linked, [this, id = a->id] { deliver(id); });
        }
    }
    void deliver(const std::string& agent)
    {
        std::uint64_t number = 0;
        const stream::message* const m = stream_.deliver(now_, number);
        if (!m || chance(loss_))
            return;
        to_agent(agent, [this, id = m->chunk, number](const agent_ptr& a) {
            task_message task;
            task.lease = lease;
            a->desk.delivered({"pool", id}, task, std::to_string(number), agent_now(*a));
        });
    }
    void claim(const agent_state& a, const chunk_key& key)
    {
        const agent_desk::entry& held = *a.desk.find(key);
        to_pool(a, [this, agent = a.id, key, ack = held.ack, delivery = held.delivery] {
            if (!pool_.members.told_chunks(agent, pool_now()))
                return;
            if (const auto dropped = pool_.ledger.take_dropped(key.chunk, agent, delivery))
                lose({{key.chunk, *dropped}});
            const verdict told = pool_.ledger.claim(key.chunk, agent, delivery, ack);
            if (told == verdict::unknown)
                take_out({}, key.chunk, {std::stoull(ack)}, false);
            tell_agent(agent, [this, key, told, delivery](const agent_ptr& here) {
                const agent_desk::entry* const entry = here->desk.find(key);
                const std::string newest = entry && entry->ack_holds ? entry->ack : std::string();
                if (!here->desk.answered(key, delivery, told, agent_now(*here)))
                    return;
                if (told == verdict::unknown && !newest.empty())
                    acknowledge(*here, newest, "+TERM");
                if (told != verdict::run)
                    return;
                ++runs_[key.chunk];
                here->running[key.chunk] = now_ + any(3s);
            });
        });
    }
    /// The stream and the pool are told over one connection, one right behind the other: either both hear of it or none does.
    void give_up(const agent_state& a, std::uint64_t id, const agent_desk::entry& held)
    {
        send(a.linked, [this, id, number = held.ack_holds ? std::stoull(held.ack) : 0] {
            if (number != 0)
                stream_.acknowledge(number, "+TERM", now_);
            if (!pool_.linked)
                return;
            pool_.mail.push_back([this, id] {
                if (!pool_.ledger.is_to_be_published_again(id))
                    return;
                ++pool_.renewed[id];
                publish(id);
            });
        });
    }
    void send_outcome(const agent_state& a, const chunk_key& key)
    {
        to_pool(a, [this, agent = a.id, key] {
            pool_.members.heard(agent, pool_now());
            tell_agent(agent, [key](const agent_ptr& here) { here->desk.forget(key); });
            if (const auto what = pool_.ledger.settle(key.chunk, agent)) {
                ++answers_[key.chunk];
                withdraw(key.chunk, *what);
            }
        });
    }
    void tell_alive(const agent_state& a, const std::string& pool)
    {
        to_pool(a, [this, agent = a.id, pool, told = a.desk.chunks_of(pool)] {
            pool_.members.told_chunks(agent, pool_now());
            tell_agent(agent, [this, unwanted = pool_.ledger.unwanted(agent, told)](const agent_ptr& here) {
                here->desk.pool_heard("pool", agent_now(*here));
                for (const std::uint64_t id : unwanted) {
                    here->desk.forget({"pool", id});
                    here->running.erase(id);
                }
            });
            lose(pool_.ledger.reconcile(agent, told));
        });
    }

    void advance()
    {
        now_ += tick;
        while (!events_.empty() && events_.begin()->first <= now_) {
            const handler event = events_.begin()->second;
            events_.erase(events_.begin());
            event();
        }
        for (const agent_ptr& a : std::vector(agents_)) {
            held_up_ = std::max(duration(0), a->cut_until - now_);
            step(a);
            held_up_ = duration(0);
        }
        step_pool();
    }

    std::mt19937 random_;
    time_point now_{};
    std::multimap<time_point, handler> events_;
    double loss_ = 0;
    duration held_up_{0}; // what is sent now, by a link that is cut

    bool broker_up_ = true;
    unsigned broker_life_ = 0;
    stream stream_;
    pool_state pool_;
    std::vector<agent_ptr> agents_;
    int last_agent_ = 0;

    std::map<std::uint64_t, int> answers_, runs_;
    std::size_t lost_ = 0, coalesced_ = 0;
};

BOOST_AUTO_TEST_SUITE(test_cluster_simulation)

// The longer suite (ctest -L storm) runs 10 000.
BOOST_AUTO_TEST_CASE(every_chunk_is_answered_once_and_runs_at_most_once)
{
    const char* const wanted = std::getenv("TWAT_MP_SIMULATIONS");
    const char* const from = std::getenv("TWAT_MP_FIRST_SIMULATION");
    const unsigned schedules = wanted ? static_cast<unsigned>(std::atoi(wanted)) : 300;
    const unsigned first = from ? static_cast<unsigned>(std::atoi(from)) : 1;
    std::size_t lost = 0, coalesced = 0, left = 0;
    for (unsigned seed = first; seed != first + schedules; ++seed) {
        simulation s(seed);
        const std::string violated = s.run(60);
        BOOST_REQUIRE_MESSAGE(violated.empty(), "seed " << seed << ": " << violated);
        lost += s.lost();
        coalesced += s.coalesced();
        left += s.left();
    }
    // the schedules are hard enough
    BOOST_TEST(lost > 0u);
    BOOST_TEST((schedules < 100 || coalesced > 0u));
    // A broker may forget that an agent took something out which the pool had forgotten before.
    BOOST_TEST(left * 1000 < schedules * 60u);
    BOOST_TEST_MESSAGE(schedules << " schedules of 60 chunks; " << lost << " chunks were on hosts that were lost, "
                                 << coalesced << " absences were over before the pool knew of them, " << left
                                 << " messages stay in the stream");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::detail::cluster
