// SPDX-License-Identifier: BSL-1.0
// What nats.c calls, in threads of its own or in the link's.
#include "cluster/broker_link_state.hpp"

namespace twat::mp::detail::cluster {

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

} // namespace twat::mp::detail::cluster
