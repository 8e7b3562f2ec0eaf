// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_BROKER_LINK_STATE_HPP
#define TWAT_MP_SRC_CLUSTER_BROKER_LINK_STATE_HPP

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <nats/nats.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cluster/broker_link.hpp"
#include "cluster/broker_stream.hpp"
#include "cluster/event_source.hpp"
#include "cluster/leftovers.hpp"

namespace twat::mp::detail::cluster {

/// What a link and its threads share. Its members are where they run: `broker_calls.cpp` (called by nats.c), `broker_loop.cpp` (in the link's
/// thread), `broker_helper.cpp` (in a helper thread).
struct broker_link::state : std::enable_shared_from_this<state>
{
    state(settings given, callbacks calls)
        : s(std::move(given)), on(std::move(calls)), key(next_key++), guard(asio::make_work_guard(io))
    {}

    // nats.c calls back with a pointer, also shortly after the connection is gone: it gets a number that is looked up.
    static std::shared_ptr<state> find(void* closure)
    {
        registry& known = all();
        std::lock_guard lock(known.mutex);
        const auto found = known.links.find(reinterpret_cast<std::uintptr_t>(closure));
        return found == known.links.end() ? nullptr : found->second.lock();
    }
    void* closure() const noexcept { return reinterpret_cast<void*>(key); }
    void enlist()
    {
        registry& known = all();
        std::lock_guard lock(known.mutex);
        known.links[key] = weak_from_this();
    }
    ~state()
    {
        registry& known = all();
        std::lock_guard lock(known.mutex);
        known.links.erase(key);
    }

    static natsStatus attach(void** user, void* loop, natsConnection* nc, natsSock socket);
    static natsStatus read(void* user, bool add);
    static natsStatus write(void* user, bool add);
    static natsStatus detach(void* user);
    static void on_disconnected(natsConnection* nc, void* closure);
    static void on_reconnected(natsConnection* nc, void* closure);
    static void on_closed(natsConnection* nc, void* closure);

    template <class F>
    void post(F f)
    {
        asio::post(io, [self = shared_from_this(), f = std::move(f)]() mutable { f(*self); });
    }

    // In the link's thread:
    template <class F>
    void call(F f)
    {
        std::lock_guard lock(call_mutex);
        if (!silenced)
            f();
    }
    void readable();
    void drain();
    void adopt(connection_handle connection, std::vector<subscription_handle> subs);
    void went_away();
    void came_back(bool again);
    void begin_anew();
    void close();
    void end();
    void helper_is_through();
    void take_out(std::uint64_t chunk, const std::vector<std::uint64_t>& sequences, bool doubtful);
    void look_for_leftovers();

    // In a helper thread:
    void help(void (state::*work)());
    void connect();
    bool try_to_connect();
    void check_stream();
    void delete_leftovers();
    void close_connection();
    void report(std::string why);
    bool closing_after(duration pause);

    const settings s;
    const callbacks on;
    const std::uintptr_t key;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard;
    std::shared_ptr<event_source> events;
    std::future<void> ended;

    std::mutex call_mutex; // held while a callback runs
    bool silenced = false;
    std::mutex closing_mutex;
    std::condition_variable closing_changed;
    bool closing = false;

    // In the link's thread:
    connection_handle connection;
    std::vector<subscription_handle> subscriptions;
    bool online = false;
    bool helped = false;                                                  // a helper is at work
    bool check_wanted = false, anew_wanted = false, close_wanted = false; // when it is through
    bool checked_before = false;
    std::atomic<unsigned> absences{0}; // of the broker
    leftovers left;
    std::vector<stored_chunk> looked_at;            // by the helper
    std::atomic<natsConnection*> attached{nullptr}; // also while it is being set up

    struct registry
    {
        std::mutex mutex;
        std::map<std::uintptr_t, std::weak_ptr<state>> links;
    };
    static registry& all()
    {
        // never destroyed: the thread that closes a connection may outlive main()
        static registry& instance = *new registry;
        return instance;
    }
    static inline std::atomic<std::uintptr_t> next_key{1};
};

} // namespace twat::mp::detail::cluster

#endif
