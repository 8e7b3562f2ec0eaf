// SPDX-License-Identifier: BSL-1.0
// The part of a worker process that takes what it sends.
#include <twat/mp/error.hpp>

#include <boost/asio/error.hpp>

#include <memory>
#include <string>
#include <utility>

#include "function/module.hpp"
#include "process/handshake.hpp"
#include "process/worker_process.hpp"
#include "shm/block_registry.hpp"
#include "start/attachments.hpp"
#include "wire/messages.hpp"

namespace twat::mp::detail {

void worker_process::on_readable(const boost::system::error_code& ec)
{
    if (!owner_)
        return;
    if (ec == asio::error::operation_aborted || !owner_->active())
        return update_waits();
    worker_owner& owner = *owner_;
    const time_point until = owner.turn_until();
    if (until != time_point::max() && clock::now() >= until)
        return read_later();
    owner.begin_batch(*this);
    read(until);
    owner.end_batch();
}

void worker_process::on_writable(const boost::system::error_code& ec)
{
    if (!owner_)
        return;
    if (ec != asio::error::operation_aborted)
        flush();
    update_waits();
}

// Others on the loop get their turn first.
void worker_process::read_later()
{
    if (owner_ && !std::exchange(reads_later_, true))
        owner_->read_later(*this);
}

void worker_process::read_on()
{
    reads_later_ = false;
    if (!owner_)
        return;
    worker_owner& owner = *owner_;
    owner.begin_batch(*this);
    const time_point until = owner.turn_until();
    tell_waiting(until);
    if (owner_ && parts_->link.is_open() && owner.active() && !session_.has_exited() &&
        (parts_->link.has_rest() || !session_.has_hung_up()))
        read(until);
    owner.end_batch();
}

void worker_process::read(time_point until)
{
    try {
        switch (parts_->link.read(until)) {
        case worker_link::result::all: break;
        case worker_link::result::later: return read_later();
        case worker_link::result::closed: return hung_up();
        }
    }
    catch (const error& e) {
        parts_->link.take_published();
        sent_malformed(e.what());
    }
}

void worker_process::on_decoded()
{
    worker_owner& owner = *owner_;
    owner.begin_batch(*this);
    tell_waiting(owner.turn_until());
    owner.end_batch();
}

void worker_process::tell_waiting(time_point until)
{
    try {
        if (!parts_->outcomes.tell_waiting(until))
            return read_later();
    }
    catch (const error& e) {
        sent_malformed(e.what());
    }
    if (parts_->outcomes.empty() && owner_ && owner_->active())
        settle(); // its end was not told before this
}

void worker_process::catch_up()
{
    if (owner_ && parts_ && parts_->link.is_open() && session_.phase() != worker_phase::leaving &&
        session_.expects(is_busy()))
        read(time_point::max());
}

void worker_process::take(const frame& arrived)
{
    switch (arrived.header.type) {
    case frame_type::hello_reply: return take_hello_reply(arrived.bytes);
    case frame_type::ready: resume(worker_input::ready); return;
    case frame_type::initializer_failed: return take_initializer_error(arrived);
    case frame_type::published: return; // the ring was read
    case frame_type::result: {
        auto bytes = arrived.bytes;
        const auto what = take_record(bytes);
        if (!what || !bytes.empty())
            throw error(errc::protocol_error, "a worker sent an invalid result record");
        take(*what);
        if (parts_->outcomes.empty())
            drop_arrived(); // nobody has decoded it
        return;
    }
    case frame_type::result_attached:
        return parts_->link.channel().arrived().name(arrived.bytes, [&](std::uint64_t key, unique_fd fd) {
            attachment_inbox::of_results().put(inbox_key(), key, std::move(fd));
        });
    case frame_type::result_memory:
        return parts_->link.channel().arrived().name(arrived.bytes, [&](std::uint64_t key, unique_fd fd) {
            block_registry::instance().put({block_owner::kind::results, inbox_key()}, key, std::move(fd));
        });
    case frame_type::pong: return session_.pong(arrived.header.id);
    case frame_type::farewell: return take_farewell(arrived);
    default: throw error(errc::protocol_error, "a worker sent a frame that only its parent sends");
    }
}

void worker_process::drop_arrived() noexcept
{
    attachment_inbox::of_results().drop(inbox_key());
    block_registry::instance().drop({block_owner::kind::results, inbox_key()});
}

void worker_process::take_hello_reply(std::span<const std::byte> bytes)
{
    const hello_reply_message reply = read_hello_reply(bytes);
    const bool foreign = !owner_->settings().executable.empty();
    switch (judge(reply, {.nonce = nonce_, .build = foreign ? std::string_view() : std::string_view(build_id())})) {
    case greeting::accepted: resume(worker_input::greeted); return;
    case greeting::other_worker:
        throw error(errc::protocol_error, "the handshake came from a different process than the one started");
    case greeting::other_version:
        fail_start(identity_.name() + " speaks protocol version " + std::to_string(reply.version) +
                       ", this program version " + std::to_string(protocol_version),
                   errc::build_mismatch, obituary::outlook::hopeless);
        break;
    case greeting::other_build:
        fail_start(identity_.name() + " is build " + to_hex(reply.build) + ", this program build " +
                       to_hex(build_id()) + ": was its file replaced, or a library's?",
                   errc::build_mismatch, obituary::outlook::hopeless);
        break;
    }
    resume(worker_input::unfit);
}

void worker_process::take_initializer_error(const frame& arrived)
{
    if (session_.phase() != worker_phase::initializing)
        throw error(errc::protocol_error, "unexpected initializer report from a worker");
    auto bytes = std::make_shared<byte_buffer>();
    bytes->append(arrived.bytes.data(), arrived.bytes.size());
    obituary_.initializer_failed(std::move(bytes));
    resume(worker_input::unfit);
}

// Its end follows.
void worker_process::take_farewell(const frame& arrived)
{
    if ((arrived.header.flags & frame_flag_value) == 0 || !owner_)
        return;
    auto bytes = std::make_shared<byte_buffer>();
    bytes->append(arrived.bytes.data(), arrived.bytes.size());
    owner_->events().worker_returned(id(), {.bytes = std::move(bytes)});
}

void worker_process::hung_up()
{
    if (session_.has_hung_up())
        return;
    parts_->link.channel().drop_unsent();
    act(session_.resume(worker_input::hung_up));
}

void worker_process::sent_malformed(const char* what)
{
    if (obituary_.has_sent_malformed())
        return;
    obituary_.sent_malformed(what);
    if (session_.is_starting() && !obituary_.has_failed_to_start())
        fail_start(identity_.name() + " sent malformed data: " + what, errc::protocol_error);
    resume(worker_input::unfit);
}

} // namespace twat::mp::detail
