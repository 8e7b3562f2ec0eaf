// SPDX-License-Identifier: BSL-1.0
// What a link to the broker does in its own thread.
#include <utility>

#include "cluster/broker_link_state.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration flush_patience = std::chrono::milliseconds(50);

} // namespace

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

} // namespace twat::mp::detail::cluster
