// SPDX-License-Identifier: BSL-1.0
#include "process/worker_process.hpp"
#include "os/cpu_time.hpp"

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>

#include <boost/asio/error.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "process/handshake.hpp"
#include "wire/exception.hpp"
#include "wire/messages.hpp"
#include "function/module.hpp"
#include "start/worker_marker.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

/// Arguments up to this are copied into one buffer with what goes before and behind them.
constexpr std::size_t copied_bytes = 4096;
/// Read before the next look at the clock: less than what a turn may take.
constexpr std::size_t most_read = std::size_t(128) << 10;
/// Outcomes taken before the next look. Few cost more than 100 ns.
constexpr unsigned most_taken = 64;
/// Left in the socket of a dead worker; more than its buffer holds, unless somebody else goes on writing.
constexpr std::size_t most_left_behind = std::size_t(8) << 20;
/// Within this after its hang-up a process should be over.
constexpr duration exit_grace = std::chrono::milliseconds(100);
/// What SIGKILL does not end within this is given up.
constexpr duration abandon_after = std::chrono::seconds(2);
/// The same, when somebody waits for the end of all.
constexpr duration abandon_at_end_after = std::chrono::milliseconds(200);
/// A worker that has several tasks tells of them within a millisecond, unless one of them takes longer; then its ring is looked at.
/// Each look that finds nothing makes the next one later: with tasks of 10 ms, looks were half of what a task cost the host.
constexpr duration look_after = std::chrono::milliseconds(2);
constexpr duration longest_look_after = std::chrono::milliseconds(16);
/// Workers are looked at together.
constexpr duration look_grid = std::chrono::milliseconds(1);

arena_place place_of(const record& stored) noexcept
{
    arena_place place;
    std::memcpy(&place, stored.bytes.data(), sizeof place);
    return place;
}

// A start that had no CPU is no fault of the program's.
std::string had_a_cpu_for(int pid)
{
    const auto time = cpu_time_of(pid);
    return time ? " (until then it had a CPU for " +
                      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(*time).count()) + " ms)"
                : "";
}

} // namespace

worker_process::worker_process(worker_owner& owner, worker_id id, std::size_t node)
    : owner_(&owner), id_(id), node_(node), nonce_(make_nonce()), max_rss_(owner.settings().max_rss),
      look_pause_(look_after)
{
    if (max_rss_ == 0)
        return;
    // from 0 to 1
    const double random = static_cast<double>(nonce_ >> 11) / static_cast<double>(std::uint64_t(1) << 53);
    max_rss_ = std::max<std::size_t>(
        1, static_cast<std::size_t>(static_cast<double>(max_rss_) * (1 - owner.settings().recycle_jitter * random)));
}

worker_process::~worker_process()
{
    detach();
    attachment_inbox::of_results().drop(reinterpret_cast<std::uintptr_t>(this));
}

// ---------------------------------------------------------------- what comes from outside

void worker_process::on_exit(exit_status status)
{
    exited_ = true;
    status_ = status;
    settle_now();
}

void worker_process::on_abandoned()
{
    if (exited_)
        return;
    given_up_ = true;
    settle_now();
}

void worker_process::settle_now()
{
    worker_owner& owner = *owner_;
    owner.begin_batch(*this);
    settle();
    owner.end_batch();
}

void worker_process::on_readable(const boost::system::error_code& ec)
{
    reading_ = false;
    if (!owner_)
        return;
    if (ec == asio::error::operation_aborted || !owner_->active())
        return update_waits();
    worker_owner& owner = *owner_;
    const time_point until = owner.turn_until();
    if (until != time_point::max() && clock::now() >= until)
        return leave_rest();
    owner.begin_batch(*this);
    read(until);
    owner.end_batch();
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
    if (owner_ && socket_ && owner.active() && !exited_ && (!rest_.empty() || !hung_up_))
        read(until);
    owner.end_batch();
}

// Others on the loop get their turn first.
void worker_process::leave_rest()
{
    if (owner_ && !std::exchange(reads_later_, true))
        owner_->read_later(*this);
}

void worker_process::read(time_point until)
{
    try {
        if (!rest_.empty() && !take_arrivals(until)) // before there is room for more
            return leave_rest();
        for (;;) {
            const auto progress = channel_->receive(most_read);
            const bool all = take_arrivals(until);
            if (!owner_ || hung_up_)
                return;
            if (!all)
                return leave_rest();
            if (progress == worker_channel::progress::closed)
                return hung_up();
            if (progress == worker_channel::progress::done)
                return;
            if (until != time_point::max() && clock::now() >= until)
                return leave_rest();
        }
    }
    catch (const error& e) {
        // What was published before the nonsense is finished all the same.
        try {
            rest_ = {};
            take_ring(time_point::max());
        }
        catch (const error&) { // the ring itself may be malformed
        }
        talks_nonsense(e.what());
    }
}

// What has arrived on the socket was written after what had been published in the ring by then. False: the time was up before all was taken.
bool worker_process::take_arrivals(time_point until)
{
    last_sign_ = silent_since_ = clock::now();
    looked_ = false;
    if (!take_ring(until))
        return false;
    while (owner_ && nonsense_.empty()) {
        const auto arrived = channel_->next();
        if (!arrived)
            return true;
        take(*arrived);
    }
    return true;
}

bool worker_process::take_ring(time_point until)
{
    unsigned taken = 0;
    // What an earlier turn has left, and then what was published since. Not on and on: the worker may be as fast.
    for (bool drained = false; nonsense_.empty() && owner_; drained = true) {
        while (owner_) {
            const auto what = records_.next(rest_);
            if (!what)
                break;
            take(*what);
            if (++taken == most_taken && until != time_point::max()) {
                taken = 0;
                if (clock::now() >= until && !rest_.empty())
                    return false;
            }
        }
        if (drained || !owner_)
            return true;
        drained_.clear();
        rest_ = {};
        ring_->drain(drained_);
        rest_ = drained_.bytes();
    }
    return true;
}

void worker_process::take(const frame& arrived)
{
    switch (arrived.header.type) {
    case frame_type::hello_reply: return take_hello_reply(arrived.bytes);
    case frame_type::ready: return act(fsm_.resume(worker_input::ready));
    case frame_type::initializer_failed: {
        if (fsm_.phase() != worker_phase::initializing)
            throw error(errc::protocol_error, "unexpected initializer report from a worker");
        auto bytes = std::make_shared<byte_buffer>();
        bytes->append(arrived.bytes.data(), arrived.bytes.size());
        initializer_error_ = std::move(bytes);
        return act(fsm_.resume(worker_input::unfit));
    }
    case frame_type::published: return; // the ring was read
    case frame_type::result: {
        auto bytes = arrived.bytes;
        const auto what = take_record(bytes);
        if (!what || !bytes.empty())
            throw error(errc::protocol_error, "a worker sent an invalid result record");
        take(*what);
        if (waiting_.empty())
            attachment_inbox::of_results().drop(reinterpret_cast<std::uintptr_t>(this)); // nobody has decoded it
        return;
    }
    case frame_type::result_attached:
        return channel_->arrived().name(arrived.bytes, attachment_inbox::of_results(),
                                        reinterpret_cast<std::uintptr_t>(this));
    case frame_type::pong:
        if (arrived.header.id == ping_)
            ping_due_ = time_point::max();
        return;
    case frame_type::farewell: return take_farewell(arrived);
    default: throw error(errc::protocol_error, "a worker sent a frame that only its parent sends");
    }
}

// Its end follows.
void worker_process::take_farewell(const frame& arrived)
{
    if ((arrived.header.flags & frame_flag_value) == 0 || !owner_)
        return;
    auto bytes = std::make_shared<byte_buffer>();
    bytes->append(arrived.bytes.data(), arrived.bytes.size());
    owner_->events().worker_returned(id_, {.bytes = std::move(bytes)});
}

void worker_process::take(const record& what)
{
    if (waiting_.empty() && !decodes_apart(what))
        return tell(what, held_->note(what));
    keep_waiting(what);
}

/// How to decode a value that is so large that this loop should not. Null: it is not, or nobody wants it.
result_decoder worker_process::decodes_apart(const record& stored) const
{
    if (stored.kind != record_kind::stored || !owner_->settings().beside_loop ||
        place_of(stored).size < byte_buffer::lending_size)
        return nullptr;
    const process_chunk* const held = held_->find(stored.chunk);
    return held && !held->abandoned && held->work->op ? held->work->op->decodes_apart() : nullptr;
}

// It is told of behind what waits already: outcomes are told in their order, and places in the arena given back in theirs.
void worker_process::keep_waiting(const record& what)
{
    waiting_outcome added{.what = what, .held = {}, .copy = {}, .value = nullptr};
    if (const result_decoder decode = decodes_apart(what))
        added.value = std::make_shared<decoding>(results_, stored_value(what), decode);
    if (what.kind != record_kind::ended)
        added.held = held_->note(what);
    // Several values lie behind each other, with a short header between them.
    added.copy.append(what.bytes.data(),
                      what.bytes.size() + (what.count - 1) * (short_header_size + what.bytes.size()));
    waiting_.push_back(std::move(added));
    waiting_outcome& waits = waiting_.back();
    waits.what.bytes = waits.copy.bytes().first(what.bytes.size());
    if (waits.value)
        decoding::begin(waits.value, on_strand(&worker_process::on_decoded));
    if (waits.value && waits.value->is_done())
        leave_rest(); // it was decoded here, and nobody will tell
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
        while (owner_ && !waiting_.empty() && (!waiting_.front().value || waiting_.front().value->is_done())) {
            const waiting_outcome next = std::move(waiting_.front());
            waiting_.pop_front();
            noted_chunk held = next.held;
            if (next.what.kind == record_kind::ended) {
                held = held_->note(next.what);
            } else {
                const process_chunk* const now = held_->find(next.what.chunk);
                held.abandoned = !now || now->abandoned;
            }
            tell(next.what, held, next.value.get());
            if (until != time_point::max() && clock::now() >= until && !waiting_.empty())
                return leave_rest();
        }
    }
    catch (const error& e) {
        talks_nonsense(e.what());
    }
    if (waiting_.empty() && owner_ && owner_->active())
        settle(); // its end was not told before this
}

std::span<const std::byte> worker_process::stored_value(const record& stored) const
{
    const std::span<const std::byte> value = results_->at(place_of(stored));
    if (value.size() > longest_frame(owner_->settings()))
        throw error(errc::protocol_error, "a value is larger than max_message_size");
    return value;
}

/// @param value Of a `stored` one that was decoded.
void worker_process::tell(const record& what, const noted_chunk& held, const decoding* value)
{
    if (held.abandoned) {
        if (what.kind == record_kind::stored)
            give_back(what);
        return;
    }
    // Not only at the end of the chunk, for which an idle pool does not listen: the peer of a socket waits for the last copy to be closed.
    if (const process_chunk* const chunk = held_->find(what.chunk);
        chunk && chunk->work && chunk->work->tasks && what.kind != record_kind::ended) {
        auto& tasks = static_cast<encoded_payload&>(*chunk->work->tasks);
        if (tasks.sent() && what.position + what.count >= tasks.size())
            tasks.forget_sent();
    }
    backend_events& events = owner_->events();
    const decoding_scope here(owner_->strand());
    decoder in(what.bytes);
    switch (what.kind) {
    case record_kind::value: {
        const std::size_t size = what.bytes.size();
        const encoded_values values{what.bytes.data(), size, size + short_header_size};
        return events.tasks_finished(id_, what.chunk, what.position, what.count, &values);
    }
    case record_kind::stored: {
        if (value && value->error()) {
            events.task_failed(id_, what.chunk, what.position, annotate(value->error(), held.first + what.position));
        } else if (value) {
            events.task_decoded(id_, what.chunk, what.position, *value->value(), value->size());
        } else {
            const std::span<const std::byte> bytes = stored_value(what);
            const encoded_values values{bytes.data(), bytes.size(), bytes.size()};
            events.tasks_finished(id_, what.chunk, what.position, 1, &values);
        }
        return give_back(what);
    }
    case record_kind::used: {
        task_usage measured;
        std::memcpy(&measured, what.bytes.data(), sizeof measured);
        return events.task_used(id_, what.chunk, what.position, measured);
    }
    case record_kind::failure: {
        const std::exception_ptr error = decode_exception(in, held.first + what.position, pid());
        if (owner_->settings().parcels->options().exceptions)
            attach_parcel(error, what.chunk, what.position);
        return events.task_failed(id_, what.chunk, what.position, error);
    }
    case record_kind::ended: {
        std::int64_t busy;
        std::memcpy(&busy, what.bytes.data(), sizeof busy);
        if (max_rss_ != 0 && resident_size() > max_rss_)
            events.worker_grew(id_);
        return events.chunk_ended(id_, what.chunk, duration(std::max<std::int64_t>(0, busy)));
    }
    }
}

void worker_process::give_back(const record& stored) noexcept
{
    page_.arena_tail().store(end_of(place_of(stored)), std::memory_order_release);
}

void worker_process::take_hello_reply(std::span<const std::byte> bytes)
{
    const hello_reply_message reply = read_hello_reply(bytes);
    const bool foreign = !owner_->settings().executable.empty();
    switch (judge(reply, {.nonce = nonce_, .build = foreign ? std::string_view() : std::string_view(build_id())})) {
    case greeting::accepted: return act(fsm_.resume(worker_input::greeted));
    case greeting::other_worker:
        throw error(errc::protocol_error, "the handshake came from a different process than the one started");
    case greeting::other_version:
        fail_start(errc::build_mismatch,
                   name() + " speaks protocol version " + std::to_string(reply.version) + ", this program version " +
                       std::to_string(protocol_version),
                   true);
        break;
    case greeting::other_build:
        fail_start(errc::build_mismatch,
                   name() + " is build " + to_hex(reply.build) + ", this program build " + to_hex(build_id()) +
                       ": was its file replaced, or a library's?",
                   true);
        break;
    }
    act(fsm_.resume(worker_input::unfit));
}

void worker_process::hung_up()
{
    if (std::exchange(hung_up_, true))
        return;
    channel_->drop_unsent();
    // Its end follows at once, unless it closed its socket and lives on.
    if (!exited_ && fsm_.phase() != worker_phase::killed && fsm_.phase() != worker_phase::leaving)
        start_kill(exit_grace, duration::zero());
}

void worker_process::talks_nonsense(const char* what)
{
    if (!nonsense_.empty())
        return;
    nonsense_ = what;
    if (fsm_.is_starting() && !start_failure_)
        fail_start(errc::protocol_error, name() + " sent malformed data: " + nonsense_, false);
    act(fsm_.resume(worker_input::unfit));
}

void worker_process::fail_start(errc code, std::string what, bool hopeless)
{
    start_failure_ = {code, std::move(what)};
    hopeless_ = hopeless;
}

// ---------------------------------------------------------------- what is done about it

void worker_process::give_up_start()
{
    if (!owner_ || !fsm_.is_starting() || hung_up_ || exited_)
        return; // what became of it follows
    const bool greeted = fsm_.phase() == worker_phase::initializing;
    fail_start(errc::worker_start_failed,
               name() + " was not ready within pool_options::start_timeout" + had_a_cpu_for(pid()) + "; " +
                   (greeted ? "its initializer still runs"
                            : "either its program needs longer than that before it calls twat::mp::run_if_worker(argc, "
                              "argv), or main() does "
                              "not call it as its first statement"),
               false);
    act(fsm_.resume(worker_input::unfit));
}

void worker_process::leave()
{
    const worker_action action = fsm_.resume(worker_input::leave);
    act(action);
    // One that is being ended already had more time for it than those who wait for the end of all.
    if (action != worker_action::none || !owner_ || !owner_->ending())
        return;
    if (fsm_.phase() == worker_phase::leaving)
        start_kill(owner_->settings().stop_grace, duration::zero());
    else if (fsm_.phase() == worker_phase::killed)
        start_kill(duration::zero(), owner_->settings().stop_grace);
}

void worker_process::act(worker_action action)
{
    if (!owner_)
        return;
    switch (action) {
    case worker_action::greet: say_hello(); break;
    case worker_action::take_work:
        if (owner_->settings().debug && clock::now() - started_at_ > std::chrono::seconds(1))
            std::fprintf(stderr, "twat-mp: worker %zu (pid %d) took %.1f s to get ready\n", node_, pid(),
                         std::chrono::duration<double>(clock::now() - started_at_).count());
        owner_->worker_is_ready(*this);
        break;
    case worker_action::say_goodbye:
        channel_->queue({frame_type::goodbye, 0, 0, 0});
        start_kill(owner_->settings().stop_grace, duration::zero());
        flush();
        break;
    case worker_action::kill:
        start_kill(stacks_ ? stacks_->time_to_answer() : duration::zero(), owner_->settings().stop_grace);
        break;
    default: break;
    }
    update_waits();
}

void worker_process::say_hello()
{
    const worker_settings& settings = owner_->settings();
    started_at_ = clock::now(); // it could not answer before, however long this took
    byte_buffer bytes;
    const std::string chaos = settings.chaos.options().any() ? to_string(settings.chaos.options()) : std::string();
    write_hello(bytes, {protocol_version, settings.debug, !settings.executable.empty(), node_, settings.nodes,
                        settings.child_concurrency, settings.max_message_size, build_id(), settings.initializer.bytes(),
                        settings.state.bytes(), settings.finalizer.bytes(), max_rss_ != 0, settings.spin,
                        settings.max_memory, chaos, settings.chaos.slow_start(id_)});
    channel_->queue({frame_type::hello, 0, 0, 0}, bytes.bytes());
    flush();
}

void worker_process::start_kill(duration before_sigterm, duration before_sigkill)
{
    if (!child_)
        return;
    try {
        std::function<void()> abandoned = on_strand(&worker_process::on_abandoned);
        child_->end(before_sigterm, before_sigkill, owner_->ending() ? abandon_at_end_after : abandon_after,
                    std::move(abandoned));
    }
    catch (...) {
        child_->kill();
    }
}

void worker_process::flush()
{
    if (!owner_ || !channel_ || !channel_->has_unsent() || hung_up_ || fsm_.phase() == worker_phase::killed || exited_)
        return;
    const auto progress = channel_->send();
    write_blocked_ = progress == worker_channel::progress::blocked;
    if (progress == worker_channel::progress::closed)
        hung_up();
    if (write_blocked_ && !writing_)
        update_waits();
}

void worker_process::update_waits()
{
    if (!owner_ || !socket_)
        return;
    const worker_phase phase = fsm_.phase();
    const bool talks =
        owner_->active() && !hung_up_ && !exited_ && phase != worker_phase::killed && phase != worker_phase::dead;
    const bool reads = talks && !reads_later_ &&
                       (phase != worker_phase::ready || held_->wanted() != 0 || ping_due_ != time_point::max());
    const bool writes = talks && write_blocked_;
    if ((reading_ && !reads) || (writing_ && !writes)) {
        boost::system::error_code ignored;
        socket_->cancel(ignored); // the handlers come here again
    }
    // Either wait may complete for no reason (see os/readiness.hpp): then `receive` or `send` finds nothing to do, and the wait is armed again.
    if (reads && !reading_) {
        reading_ = true;
        socket_->async_wait(descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& ec) {
            self->on_readable(ec);
        });
    }
    if (writes && !writing_) {
        writing_ = true;
        socket_->async_wait(descriptor::wait_write, [self = shared_from_this()](const boost::system::error_code& ec) {
            self->writing_ = false;
            if (!self->owner_)
                return;
            if (ec != asio::error::operation_aborted)
                self->flush();
            self->update_waits();
        });
    }
}

void worker_process::catch_up()
{
    if (!owner_ || !socket_ || hung_up_ || exited_)
        return;
    if (fsm_.is_starting() ||
        (fsm_.phase() == worker_phase::ready && (held_->wanted() != 0 || ping_due_ != time_point::max())))
        read(time_point::max());
}

void worker_process::settle()
{
    if (exited_ || given_up_)
        finish();
}

// The process is over: what it left behind is read before anything is decided.
void worker_process::finish()
{
    const auto self = shared_from_this();
    if (!owner_ || fsm_.phase() == worker_phase::dead)
        return;
    if (!launch_failed_ && channel_ && nonsense_.empty()) {
        try {
            std::size_t turns = 0;
            take_arrivals(time_point::max());
            for (auto progress = worker_channel::progress::more; progress == worker_channel::progress::more && owner_;
                 ++turns) {
                progress = turns * (64 * 1024) < most_left_behind ? channel_->receive(most_read)
                                                                  : worker_channel::progress::closed;
                take_arrivals(time_point::max());
            }
        }
        catch (const error& e) {
            talks_nonsense(e.what());
        }
    }
    if (!owner_ || !waiting_.empty())
        return; // or later, when what it finished was told
    worker_end end = make_end();
    if (stacks_)
        stacks_->settle();
    worker_owner* const owner = std::exchange(owner_, nullptr);
    if (child_ && given_up_)
        child_->forget();
    socket_.reset();
    socket_fd_.reset();
    owner->worker_is_gone(*this, end);
}

void worker_process::detach() noexcept
{
    owner_ = nullptr;
    for (const waiting_outcome& outcome : waiting_)
        if (outcome.value)
            outcome.value->drop();
    waiting_.clear();
    if (stacks_)
        stacks_->settle();
    if (child_ && !exited_) {
        child_->forget();
        child_->kill();
    }
    socket_.reset();
    socket_fd_.reset();
}

// ---------------------------------------------------------------- what the engine asks

void worker_process::submit(const chunk& work)
{
    const bool was_wanted = held_->wanted() != 0;
    const process_chunk& held = held_->add(work);
    if (fsm_.phase() != worker_phase::ready || hung_up_ || exited_)
        return; // it is on its way out, and these tasks will not have begun
    send_function(work);
    const auto& tasks = static_cast<const encoded_payload&>(*work.tasks);
    chunk_message message;
    message.op = work.op_id;
    message.first = work.first;
    message.attempt = work.attempt;
    message.timeout = work.timeout;
    message.seed = work.seed;
    message.reports = work.reports;
    message.measured = work.measured;
    if (work.op)
        message.trace_parent = work.op->traits().options.trace_parent;
    last_sign_ = clock::now();
    if (!was_wanted)
        silent_since_ = last_sign_;
    looked_ = false;
    timed_ = held.timed;
    if (timed_)
        look_pause_ = look_after; // a task's time counts from the end of the one before
    if (work.deadline != time_point::max())
        message.remaining = saturating_subtract(work.deadline, last_sign_);
    message.count = held.count;
    message.slot = held.slot;
    message.coroutine = work.coroutine;
    message.arguments = place_arguments(tasks, work.id);
    if (const attachments* const sent = tasks.sent())
        for (std::span<const attachment> rest = *sent; !rest.empty();
             rest = rest.subspan(std::min(rest.size(), most_attached)))
            channel_->queue_attached({frame_type::attached, 0, work.id, 0},
                                     rest.first(std::min(rest.size(), most_attached)));
    byte_buffer& to = channel_->tail();
    write_chunk_start(to, work.id, message, tasks);
    if (!message.arguments) {
        if (tasks.bytes().size() <= copied_bytes)
            to.append(tasks.bytes().data(), tasks.bytes().size());
        else
            channel_->queue_reference(tasks.bytes(), work.shared_from_this());
    }
    if (!owner_->in_batch())
        flush();
    if (!was_wanted)
        update_waits();
}

// They were written into the arena, or are put there now. Those for which there is no room travel on the socket, as small ones do.
std::optional<arena_place> worker_process::place_arguments(const encoded_payload& tasks, chunk_id id)
{
    if (page_.arguments_refused().load(std::memory_order_relaxed))
        return std::nullopt;
    if (tasks.buffer().is_lent() && tasks.buffer().memory() == arguments_)
        return arguments_->commit(tasks.bytes());
    byte_buffer copy(arguments_);
    if (tasks.bytes().size() < byte_buffer::lending_size || !copy.lend(tasks.bytes().size()))
        return std::nullopt;
    copy.append(tasks.bytes().data(), tasks.bytes().size());
    const arena_place place = arguments_->commit(copy.bytes());
    held_->keep(id, std::move(copy));
    return place;
}

void worker_process::send_function(const chunk& work)
{
    const auto [entry, is_new] = functions_.try_emplace(work.op_id, work.function);
    if (!is_new)
        return;
    const std::span<const std::byte> bytes = work.function ? work.function->bytes() : std::span<const std::byte>();
    if (bytes.size() <= copied_bytes)
        channel_->queue({frame_type::function, 0, work.op_id, 0}, bytes);
    else {
        std::byte header[frame_header_size];
        write_frame_header(header, {frame_type::function, 0, work.op_id, bytes.size()});
        channel_->tail().append(header, sizeof header);
        channel_->queue_reference(bytes, work.function);
    }
    if (functions_.size() >= sweep_functions_at_)
        forget_old_functions();
}

// The engine lets go of an operation's function when the operation is over.
void worker_process::forget_old_functions()
{
    std::erase_if(functions_, [this](const auto& entry) {
        if (!entry.second.expired())
            return false;
        channel_->queue({frame_type::forget, 0, entry.first, 0});
        return true;
    });
    sweep_functions_at_ = std::max<std::size_t>(16, 2 * functions_.size());
}

std::size_t worker_process::recall(chunk_id id)
{
    if (const auto kept = held_->recall(id))
        return *kept;
    const process_chunk* held = held_->find(id);
    const std::size_t kept = held->kept;
    talks_nonsense("it claimed tasks that it does not have");
    return kept;
}

void worker_process::cancel(chunk_id id)
{
    const process_chunk* held = held_->find(id);
    if (!held || fsm_.phase() != worker_phase::ready)
        return;
    if (held->work->coroutine) {
        channel_->queue({frame_type::cancel, 0, id, 0});
        if (!owner_->in_batch())
            flush();
        return;
    }
    held_->request_stop(id);
    ring_doorbell();
}

void worker_process::ring_doorbell() noexcept
{
    const std::uint64_t ring = 1;
    [[maybe_unused]] const ssize_t n = ::write(doorbell_.get(), &ring, sizeof ring);
}

std::optional<backend::running_task> worker_process::running(chunk_id id) const
{
    return held_->running(id, clock::now());
}

void worker_process::take_reports(const std::function<void(task_report&&)>& f)
{
    if (page_)
        reports_.take(page_.reports(), f);
}

std::optional<backend::chunk_times> worker_process::times(chunk_id id) const { return held_->times(id, clock::now()); }

void worker_process::abandon(chunk_id id)
{
    held_->abandon(id);
    if (fsm_.phase() == worker_phase::ready) {
        if (held_->abandoned() > owner_->settings().child_concurrency) {
            note_ = "it was killed because too many of its coroutines ignored their cancellation";
            nobody_to_blame_ = true;
            act(fsm_.resume(worker_input::unfit));
            return;
        }
        channel_->queue({frame_type::cancel, frame_flag_abandon, id, 0});
        channel_->queue({frame_type::ping, 0, ++ping_, 0});
        ping_due_ = saturating_add(clock::now(), owner_->settings().cancel_grace);
        if (!owner_->in_batch())
            flush();
    }
    update_waits();
}

// ---------------------------------------------------------------- time

time_point worker_process::next_due() const noexcept
{
    if (!owner_ || hung_up_ || exited_)
        return time_point::max();
    if (fsm_.phase() != worker_phase::ready)
        return time_point::max();
    return std::min({ping_due_, look_due(), stop_due()});
}

// One task alone is told of when it is done. But the end of a chunk may lie untold in the ring while the one behind it runs, and a
// task's time is counted only from the end of the chunk before.
time_point worker_process::look_due() const noexcept
{
    if (looked_ || (held_->wanted() <= 1 && held_->outstanding() <= 1))
        return time_point::max();
    return time_point((last_sign_.time_since_epoch() + look_pause_) / look_grid * look_grid + look_grid);
}

time_point worker_process::stop_due() const noexcept
{
    return held_->wanted() != 0 ? stop_judge_.due(silent_since_) : time_point::max();
}

void worker_process::on_time(time_point now)
{
    if (!owner_ || next_due() > now)
        return;
    if (ping_due_ <= now) {
        read(time_point::max()); // it may have answered while nobody read
        if (owner_ && ping_due_ <= now) {
            note_ = "it was killed because a cancelled coroutine kept its event loop from running";
            ask_for_stack();
            ping_due_ = time_point::max();
            act(fsm_.resume(worker_input::unfit));
        }
        return;
    }
    if (look_due() <= now)
        look_at_ring();
    if (owner_ && stop_due() <= now)
        look_whether_stopped(now);
}

void worker_process::look_at_ring()
{
    looked_ = true;
    try {
        const bool found = ring_->holds_any();
        if (!take_ring(owner_->turn_until()))
            leave_rest();
        look_pause_ = found || timed_ ? look_after : std::min(2 * look_pause_, longest_look_after);
    }
    catch (const error& e) {
        talks_nonsense(e.what());
    }
}

void worker_process::look_whether_stopped(time_point now)
{
    const int signal = child_->stop_signal();
    switch (stop_judge_.judge(now, signal, page_.paused().load(std::memory_order_acquire) != 0)) {
    case stop_judge::verdict::leave:
        ring_doorbell(); // From now on it looks whether this program is stopped, until it has nothing to do.
        break;
    case stop_judge::verdict::resume:
        page_.paused().store(0, std::memory_order_release);
        child_->resume();
        break;
    case stop_judge::verdict::kill:
        note_ = std::string("it was killed because it had been stopped by signal ") + std::to_string(signal) + " (" +
                ::strsignal(signal) +
                (signal == SIGTTIN || signal == SIGTTOU ? "): a worker cannot use the terminal" : ")");
        act(fsm_.resume(worker_input::unfit));
        break;
    }
}

} // namespace twat::mp::detail
