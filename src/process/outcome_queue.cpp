// SPDX-License-Identifier: BSL-1.0
#include "process/outcome_queue.hpp"

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/error.hpp>

#include <boost/exception/exception.hpp>
#include <boost/exception/info.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "start/attachments.hpp"
#include "wire/exception.hpp"

namespace twat::mp::detail {
namespace {

arena_place place_of(const record& stored) noexcept
{
    arena_place place;
    std::memcpy(&place, stored.bytes.data(), sizeof place);
    return place;
}

/// Attaches the parcel that `make` returns, if one can be attached.
template <class Make>
void attach_parcel(const std::exception_ptr& error, const Make& make)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::exception& e) {
        if (const parcel made = make(); !made.empty())
            e << errinfo_parcel(made);
    }
    catch (...) { // nothing can be attached to it
    }
}

} // namespace

outcome_queue::outcome_queue(worker_owner& owner, const worker_identity& worker, held_chunks& held,
                             const shared_page& page, std::shared_ptr<const arena_mapping> results, std::size_t max_rss,
                             wake_up wake)
    : owner_(owner), worker_(worker), held_(held), page_(page), results_(std::move(results)), max_rss_(max_rss),
      wake_(std::move(wake))
{}

void outcome_queue::take(const record& what)
{
    if (waiting_.empty() && !decodes_apart(what))
        return tell(what, held_.note(what));
    keep_waiting(what);
}

/// How to decode a value that is so large that this loop should not. Null: it is not, or nobody wants it.
result_decoder outcome_queue::decodes_apart(const record& stored) const
{
    if (stored.kind != record_kind::stored || !owner_.settings().beside_loop ||
        place_of(stored).size < byte_buffer::lending_size)
        return nullptr;
    const process_chunk* const held = held_.find(stored.chunk);
    return held && !held->abandoned && held->work->op ? held->work->op->decodes_apart() : nullptr;
}

void outcome_queue::keep_waiting(const record& what)
{
    waiting_outcome added{.what = what, .held = {}, .copy = {}, .value = nullptr};
    if (const result_decoder decode = decodes_apart(what))
        added.value = std::make_shared<decoding>(results_, stored_value(what), decode);
    if (what.kind != record_kind::ended)
        added.held = held_.note(what);
    // Several values lie behind each other, with a short header between them.
    added.copy.append(what.bytes.data(),
                      what.bytes.size() + (what.count - 1) * (short_header_size + what.bytes.size()));
    waiting_.push_back(std::move(added));
    waiting_outcome& waits = waiting_.back();
    waits.what.bytes = waits.copy.bytes().first(what.bytes.size());
    if (waits.value)
        decoding::begin(waits.value, wake_.on_strand());
    if (waits.value && waits.value->is_done())
        wake_.later(); // it was decoded here, and nobody will tell
}

bool outcome_queue::tell_waiting(time_point until)
{
    while (!waiting_.empty() && (!waiting_.front().value || waiting_.front().value->is_done())) {
        const waiting_outcome next = std::move(waiting_.front());
        waiting_.pop_front();
        noted_chunk held = next.held;
        if (next.what.kind == record_kind::ended) {
            held = held_.note(next.what);
        } else {
            const process_chunk* const now = held_.find(next.what.chunk);
            held.abandoned = !now || now->abandoned;
        }
        tell(next.what, held, next.value.get());
        if (until != time_point::max() && clock::now() >= until && !waiting_.empty())
            return false;
    }
    return true;
}

void outcome_queue::drop() noexcept
{
    for (const waiting_outcome& outcome : waiting_)
        if (outcome.value)
            outcome.value->drop();
    waiting_.clear();
}

std::span<const std::byte> outcome_queue::stored_value(const record& stored) const
{
    const std::span<const std::byte> value = results_->at(place_of(stored));
    if (value.size() > owner_.settings().longest_frame())
        throw error(errc::protocol_error, "a value is larger than max_message_size");
    return value;
}

/// @param value Of a `stored` one that was decoded.
void outcome_queue::tell(const record& what, const noted_chunk& held, const decoding* value)
{
    if (held.abandoned) {
        if (what.kind == record_kind::stored)
            give_back(what);
        return;
    }
    let_go_of_sent(what);
    backend_events& events = owner_.events();
    const decoding_scope here(owner_.strand());
    switch (what.kind) {
    case record_kind::value: {
        const std::size_t size = what.bytes.size();
        const encoded_values values{what.bytes.data(), size, size + short_header_size};
        events.tasks_finished(worker_.id, what.chunk, what.position, what.count, &values);
        break;
    }
    case record_kind::stored: tell_stored(what, held, value); break;
    case record_kind::used: {
        task_usage measured;
        std::memcpy(&measured, what.bytes.data(), sizeof measured);
        return events.task_used(worker_.id, what.chunk, what.position, measured);
    }
    case record_kind::failure: tell_failure(what, held); break;
    case record_kind::ended: return tell_end(what);
    }
    let_go_of_memory(what);
}

// Not only at the end of the chunk, for which an idle pool does not listen: the peer of a socket waits for the last copy to be closed.
void outcome_queue::let_go_of_sent(const record& what)
{
    const process_chunk* const chunk = held_.find(what.chunk);
    if (!chunk || !chunk->work || !chunk->work->tasks || what.kind == record_kind::ended)
        return;
    auto& tasks = static_cast<encoded_payload&>(*chunk->work->tasks);
    if (tasks.sent() && what.position + what.count >= tasks.size())
        tasks.forget_sent();
}

// The same for what results may refer to, once they are decoded.
void outcome_queue::let_go_of_memory(const record& what)
{
    const process_chunk* const chunk = held_.find(what.chunk);
    if (!chunk || !chunk->work || !chunk->work->tasks)
        return;
    auto& tasks = static_cast<encoded_payload&>(*chunk->work->tasks);
    if (attachments* const sent = tasks.writer().sent(); sent && what.position + what.count >= tasks.size())
        sent->clear();
}

void outcome_queue::tell_stored(const record& what, const noted_chunk& held, const decoding* value)
{
    backend_events& events = owner_.events();
    if (value && value->error()) {
        events.task_failed(worker_.id, what.chunk, what.position, annotate(value->error(), held.first + what.position));
    } else if (value) {
        events.task_decoded(worker_.id, what.chunk, what.position, *value->value(), value->size());
    } else {
        const std::span<const std::byte> bytes = stored_value(what);
        const encoded_values values{bytes.data(), bytes.size(), bytes.size()};
        events.tasks_finished(worker_.id, what.chunk, what.position, 1, &values);
    }
    give_back(what);
}

void outcome_queue::tell_failure(const record& what, const noted_chunk& held)
{
    decoder in(what.bytes);
    const std::exception_ptr error = decode_exception(in, held.first + what.position, worker_.pid);
    const parcel_maker& parcels = *owner_.settings().parcels;
    if (const process_chunk* const chunk = held_.find(what.chunk); chunk && parcels.options().exceptions)
        attach_parcel(error, [&] {
            return parcels.make(*chunk->work, what.position, worker_.node, worker_.name() + ": the task threw");
        });
    owner_.events().task_failed(worker_.id, what.chunk, what.position, error);
}

void outcome_queue::tell_end(const record& what)
{
    std::int64_t busy;
    std::memcpy(&busy, what.bytes.data(), sizeof busy);
    backend_events& events = owner_.events();
    if (max_rss_ != 0 && page_.resident_size().load(std::memory_order_relaxed) > max_rss_)
        events.worker_grew(worker_.id);
    events.chunk_ended(worker_.id, what.chunk, duration(std::max<std::int64_t>(0, busy)));
}

void outcome_queue::give_back(const record& stored) noexcept
{
    page_.arena_tail().store(end_of(place_of(stored)), std::memory_order_release);
}

} // namespace twat::mp::detail
