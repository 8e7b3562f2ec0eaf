// SPDX-License-Identifier: BSL-1.0
// What a link to the broker does in a helper thread, as it may block: it connects, makes the stream and takes leftovers out of it.
#include <stdexcept>
#include <system_error>
#include <utility>

#include "cluster/broker_link_state.hpp"
#include "os/helper_thread.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration retry_pause = std::chrono::milliseconds(500);
/// For one question about what may be left in the stream.
constexpr duration question_patience = std::chrono::seconds(2);
/// How long a link that closes may go on sending requests.
constexpr duration last_looks = std::chrono::seconds(1);

} // namespace

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

void broker_link::state::close_connection() { natsConnection_Close(attached); }

} // namespace twat::mp::detail::cluster
