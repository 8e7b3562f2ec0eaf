// SPDX-License-Identifier: BSL-1.0
#include "cluster/broker_link.hpp"

#include <nats/nats.h>

#include <future>
#include <utility>

#include "cluster/broker_link_state.hpp"
#include "os/helper_thread.hpp"

namespace twat::mp::detail::cluster {
namespace {

/// The destructor waits so long for the link's thread, which has only to close a socket, so that nothing of it is left as a rule.
constexpr duration close_patience = std::chrono::milliseconds(200);

} // namespace

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
