// SPDX-License-Identifier: BSL-1.0
#include "cluster/broker_link.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <nats/nats.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "cluster/broker_stream.hpp"
#include "cluster/event_source.hpp"
#include "cluster/leftovers.hpp"
#include "os/helper_thread.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration retry_pause = std::chrono::milliseconds(500);
/// For one question about what may be left in the stream.
constexpr duration question_patience = std::chrono::seconds(2);
/// The longest that a link goes on asking when it is told to close.
constexpr duration last_looks = std::chrono::seconds(1);
constexpr duration flush_patience = std::chrono::milliseconds(50);
/// The destructor waits so long for the link's thread, which has only to close a socket, so that nothing of it is left as a rule.
constexpr duration close_patience = std::chrono::milliseconds(200);

} // namespace

// ---------------------------------------------------------------- messages

void incoming::destroy(__natsMsg* message) noexcept { natsMsg_Destroy(message); }

std::string_view incoming::subject() const noexcept { return natsMsg_GetSubject(message_.get()); }

std::string_view incoming::reply() const noexcept
{
    const char* const reply = natsMsg_GetReply(message_.get());
    return reply ? reply : "";
}

std::span<const std::byte> incoming::bytes() const noexcept
{
    return {reinterpret_cast<const std::byte*>(natsMsg_GetData(message_.get())),
            static_cast<std::size_t>(natsMsg_GetDataLength(message_.get()))};
}

std::string_view incoming::status() const noexcept
{
    const char* value = nullptr;
    if (natsMsg_GetDataLength(message_.get()) != 0 || natsMsgHeader_Get(message_.get(), "Status", &value) != NATS_OK ||
        !value)
        return {};
    return value;
}

// ---------------------------------------------------------------- the link

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

// ---------------------------------------------------------------- what nats.c calls

natsStatus broker_link::state::attach(void** user, void* loop, natsConnection* nc, natsSock socket)
{
    const auto self = find(loop);
    if (!self)
        return NATS_ILLEGAL_STATE;
    *user = loop;
    self->attached = nc;
    return self->events->attach(socket) ? NATS_OK : NATS_SYS_ERROR;
}

natsStatus broker_link::state::read(void* user, bool add)
{
    if (const auto self = find(user))
        self->events->want_read(add);
    return NATS_OK;
}

natsStatus broker_link::state::write(void* user, bool add)
{
    if (const auto self = find(user))
        self->events->want_write(add);
    return NATS_OK;
}

natsStatus broker_link::state::detach(void* user)
{
    if (const auto self = find(user))
        self->events->detach();
    return NATS_OK;
}

void broker_link::state::on_disconnected(natsConnection* nc, void* closure)
{
    if (const auto self = find(closure)) {
        ++self->absences;
        self->post([nc](state& link) {
            if (link.connection.get() == nc)
                link.went_away();
        });
    }
}

void broker_link::state::on_reconnected(natsConnection* nc, void* closure)
{
    if (const auto self = find(closure))
        self->post([nc](state& link) {
            if (link.connection.get() == nc)
                link.help(&state::check_stream);
        });
}

// It was refused for good, after a reconnect: begin anew, which tells why.
void broker_link::state::on_closed(natsConnection* nc, void* closure)
{
    if (const auto self = find(closure))
        self->post([nc](state& link) {
            if (link.connection.get() != nc)
                return;
            link.went_away();
            link.begin_anew();
        });
}

// ---------------------------------------------------------------- in the link's thread

void broker_link::state::readable()
{
    if (natsConnection* const nc = attached)
        natsConnection_ProcessReadEvent(nc);
    drain();
}

void broker_link::state::drain()
{
    std::vector<incoming> batch;
    const time_point now = clock::now();
    bool unanswered = false;
    for (const subscription_handle& sub : subscriptions)
        for (;;) {
            natsMsg* message = nullptr;
            const natsStatus status = natsSubscription_NextMsg(&message, sub.get(), 0);
            if (status == NATS_OK)
                batch.emplace_back(message, now);
            else if (status == NATS_NO_RESPONDERS)
                unanswered = true; // of which request nats.c does not tell
            else
                break;
        }
    if (!batch.empty())
        call([&] { on.arrived(std::move(batch)); });
    if (unanswered)
        call([&] { on.unanswered(); });
}

void broker_link::state::adopt(connection_handle made, std::vector<subscription_handle> subs)
{
    connection = std::move(made);
    subscriptions = std::move(subs);
    came_back(std::exchange(checked_before, true));
    drain();
}

void broker_link::state::went_away()
{
    if (std::exchange(online, false))
        call([&] { on.disconnected(); });
}

void broker_link::state::came_back(bool again)
{
    if (!connection || natsConnection_Status(connection.get()) != NATS_CONN_STATUS_CONNECTED)
        return;
    online = true;
    if (again)
        left.came_back();
    const auto most = static_cast<std::size_t>(natsConnection_GetMaxPayload(connection.get()));
    call([&] { on.connected(most, again); });
}

// A helper may be using the connection; it does this when it is through.
void broker_link::state::begin_anew()
{
    if (helped) {
        anew_wanted = true;
        return;
    }
    attached = nullptr;
    subscriptions.clear();
    connection.reset();
    help(&state::connect);
}

void broker_link::state::close()
{
    close_wanted = true;
    if (helped)
        return;
    look_for_leftovers();
    if (helped)
        return;
    online = false;
    // What was published last shall go out: nats.c only buffers it.
    const time_point limit = clock::now() + flush_patience;
    while (connection && natsConnection_Status(connection.get()) == NATS_CONN_STATUS_CONNECTED &&
           natsConnection_Buffered(connection.get()) > 0 && clock::now() < limit)
        natsConnection_ProcessWriteEvent(connection.get());
    // It waits half a second for the answer to a ping, unless this thread reads it meanwhile.
    if (connection && natsConnection_Status(connection.get()) == NATS_CONN_STATUS_CONNECTED)
        return help(&state::close_connection);
    end();
}

void broker_link::state::end()
{
    attached = nullptr;
    subscriptions.clear();
    connection.reset();
    events->detach();
    guard.reset();
}

void broker_link::state::close_connection() { natsConnection_Close(attached); }

void broker_link::state::helper_is_through()
{
    helped = false;
    if (close_wanted)
        close();
    else if (std::exchange(anew_wanted, false))
        begin_anew();
    else if (std::exchange(check_wanted, false) && connection)
        help(&state::check_stream);
    else
        look_for_leftovers();
}

void broker_link::state::take_out(std::uint64_t chunk, const std::vector<std::uint64_t>& sequences, bool doubtful)
{
    const time_point now = clock::now();
    for (const std::uint64_t sequence : sequences) {
        if (!online)
            left.removed_unheard({sequence, chunk}, now);
        else if (doubtful)
            left.suspect({sequence, chunk});
        else
            left.removed({sequence, chunk}, now);
    }
    look_for_leftovers();
}

void broker_link::state::look_for_leftovers()
{
    if (left.empty() || helped || !online)
        return;
    looked_at = left.take();
    help(&state::delete_leftovers);
}

// ---------------------------------------------------------------- in a helper thread

/// One at a time: what is asked for meanwhile is done by the one that is at work, or is not wanted any more.
void broker_link::state::help(void (state::*work)())
{
    if (std::exchange(helped, true)) {
        check_wanted = true;
        return;
    }
    try {
        start_helper_thread("twat-mp-broker", [self = shared_from_this(), work] {
            ((*self).*work)();
            self->post([](state& link) { link.helper_is_through(); });
        });
    }
    catch (const std::system_error&) {
        helped = false;
        if (close_wanted)
            return end();
        call([&] { on.failed("no thread could be made to connect to the broker"); });
    }
}

bool broker_link::state::closing_after(duration pause)
{
    std::unique_lock lock(closing_mutex);
    return closing_changed.wait_for(lock, pause, [&] { return closing; });
}

void broker_link::state::report(std::string why)
{
    post([why = std::move(why)](state& link) { link.call([&] { link.on.failed(why); }); });
}

void broker_link::state::connect()
{
    while (!closing_after(duration::zero())) {
        if (try_to_connect())
            return;
        if (closing_after(retry_pause))
            return;
    }
}

bool broker_link::state::try_to_connect()
{
    options_handle options;
    try {
        options = make_broker_options(s.url, s.credentials);
    }
    catch (const std::exception& e) {
        report(e.what());
        return false;
    }
    natsOptions_SetName(options.get(), s.client.c_str());
    natsOptions_SetEventLoop(options.get(), closure(), attach, read, write, detach);
    natsOptions_SetDisconnectedCB(options.get(), on_disconnected, closure());
    natsOptions_SetReconnectedCB(options.get(), on_reconnected, closure());
    natsOptions_SetClosedCB(options.get(), on_closed, closure());
    // not to stderr
    natsOptions_SetErrorHandler(
        options.get(), [](natsConnection*, natsSubscription*, natsStatus, void*) {}, nullptr);
    natsConnection* made = nullptr;
    if (const natsStatus status = natsConnection_Connect(&made, options.get()); status != NATS_OK) {
        report(describe_connect_error(status, without_secrets(s.url), s.credentials));
        return false;
    }
    auto owned = std::make_shared<connection_handle>(made);
    auto subs = std::make_shared<std::vector<subscription_handle>>();
    // The link's thread may be reading from it: only there is it let go of.
    const auto give_up = [&](std::string why) {
        report(std::move(why));
        post([owned, subs](state& link) {
            link.attached = nullptr;
            subs->clear();
            owned->reset();
        });
        owned.reset();
        subs.reset();
        return false;
    };
    for (const std::string& subject : s.subscriptions) {
        natsSubscription* sub = nullptr;
        if (natsConnection_SubscribeSync(&sub, made, subject.c_str()) != NATS_OK)
            return give_up("the broker at " + without_secrets(s.url) + " does not let this account subscribe to " +
                           subject);
        natsSubscription_SetPendingLimits(sub, -1, -1);
        subs->emplace_back(sub);
    }
    if (s.owns_stream)
        if (std::string wrong = ensure_stream(made, s.names, s.lease, s.replicas); !wrong.empty())
            return give_up("the broker at " + without_secrets(s.url) + " cannot be used: " + std::move(wrong));
    post([owned, subs](state& link) { link.adopt(std::move(*owned), std::move(*subs)); });
    return true;
}

void broker_link::state::check_stream()
{
    natsConnection* const nc = attached; // nobody else closes it while a helper is at work
    while (nc && s.owns_stream && !closing_after(duration::zero())) {
        std::string wrong = ensure_stream(nc, s.names, s.lease, s.replicas);
        if (wrong.empty())
            break;
        if (natsConnection_Status(nc) != NATS_CONN_STATUS_CONNECTED)
            return; // it is away again, and this will be asked for again
        report("the broker at " + without_secrets(s.url) + " cannot be used: " + std::move(wrong));
        if (closing_after(retry_pause))
            return;
    }
    post([](state& link) { link.came_back(true); });
}

void broker_link::state::delete_leftovers()
{
    natsConnection* const nc = attached; // nobody else closes it while a helper is at work
    time_point limit = time_point::max();
    for (std::size_t i = 0; i != looked_at.size(); ++i) {
        if (limit == time_point::max() && closing_after(duration::zero()))
            limit = clock::now() + last_looks;
        if (clock::now() >= limit)
            return;
        const unsigned absences_before = absences;
        const deletion what = delete_own(nc, s.names, looked_at[i], s.pool, question_patience);
        if (what != deletion::unanswered) // the broker can forget this as well
            post([chunk = looked_at[i]](state& link) { link.left.removed(chunk, clock::now()); });
        if (what != deletion::unanswered)
            continue;
        // It went away: the rest is looked at when it is back. Or this account may not ask, and never will be told.
        if (absences != absences_before || natsConnection_Status(nc) != NATS_CONN_STATUS_CONNECTED)
            post(
                [rest = std::vector(looked_at.begin() + static_cast<std::ptrdiff_t>(i), looked_at.end())](state& link) {
                    for (const stored_chunk& chunk : rest)
                        link.left.suspect(chunk);
                });
        return;
    }
}

// ---------------------------------------------------------------- the outside

broker_link::broker_link(settings s, callbacks on) : state_(std::make_shared<state>(std::move(s), std::move(on)))
{
    state& link = *state_;
    link.enlist();
    link.events = std::make_shared<event_source>(
        link.io, event_source::callbacks{[&link] { link.readable(); },
                                         [&link] {
                                             if (natsConnection* const nc = link.attached)
                                                 natsConnection_ProcessWriteEvent(nc);
                                         }});
    std::promise<void> end;
    link.ended = end.get_future();
    start_helper_thread("twat-mp-link", [self = state_, end = std::make_shared<std::promise<void>>(std::move(end))] {
        self->io.run();
        end->set_value();
    });
    link.post([](state& l) { l.help(&state::connect); });
}

broker_link::~broker_link()
{
    {
        std::lock_guard lock(state_->call_mutex);
        state_->silenced = true;
    }
    {
        std::lock_guard lock(state_->closing_mutex);
        state_->closing = true;
    }
    state_->closing_changed.notify_all();
    state_->post([](state& link) { link.close(); });
    if (!state_->s.beside_a_loop)
        state_->ended.wait_for(close_patience);
}

void broker_link::publish(std::string subject, std::vector<std::byte> bytes, std::string reply)
{
    publish_once(std::move(subject), std::move(bytes), std::move(reply), {});
}

void broker_link::publish_once(std::string subject, std::vector<std::byte> bytes, std::string reply,
                               std::string message_id)
{
    state_->post([subject = std::move(subject), bytes = std::move(bytes), reply = std::move(reply),
                  id = std::move(message_id)](state& link) {
        if (!link.online)
            return;
        natsMsg* message = nullptr;
        if (natsMsg_Create(&message, subject.c_str(), reply.empty() ? nullptr : reply.c_str(),
                           reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size())) != NATS_OK)
            return;
        if (!id.empty())
            natsMsgHeader_Set(message, "Nats-Msg-Id", id.c_str());
        natsConnection_PublishMsg(link.connection.get(), message);
        natsMsg_Destroy(message);
    });
}

void broker_link::publish_text(std::string subject, std::string_view text, std::string reply)
{
    const auto* const first = reinterpret_cast<const std::byte*>(text.data());
    publish(std::move(subject), {first, first + text.size()}, std::move(reply));
}

void broker_link::take_out(std::string subject, std::string text, std::uint64_t chunk,
                           std::vector<std::uint64_t> sequences, bool doubtful)
{
    state_->post([subject = std::move(subject), text = std::move(text), chunk, sequences = std::move(sequences),
                  doubtful](state& link) {
        if (link.online && !subject.empty())
            natsConnection_Publish(link.connection.get(), subject.c_str(), text.data(), static_cast<int>(text.size()));
        link.take_out(chunk, sequences, doubtful);
    });
}

void broker_link::look_after_stream()
{
    state_->post([](state& link) { link.help(&state::check_stream); });
}

} // namespace twat::mp::detail::cluster
