// SPDX-License-Identifier: BSL-1.0
#include "process/held_chunks.hpp"

#include <twat/mp/error.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <limits>

#include "shm/claim.hpp"

namespace twat::mp::detail {

held_chunks::held_chunks(const shared_page& page) : page_(page) {}

process_chunk* held_chunks::look_up(chunk_id id) noexcept
{
    const auto found = std::ranges::find(chunks_, id, &process_chunk::id);
    return found == chunks_.end() ? nullptr : &*found;
}

const process_chunk* held_chunks::find(chunk_id id) const noexcept
{
    return const_cast<held_chunks&>(*this).look_up(id);
}

std::size_t held_chunks::outstanding() const noexcept
{
    std::size_t sum = 0;
    for (const process_chunk& c : chunks_)
        if (!c.abandoned)
            sum += c.kept - c.done;
    return sum;
}

const process_chunk& held_chunks::add(const chunk& work)
{
    BOOST_ASSERT(work.count != 0 && work.count < std::numeric_limits<std::uint32_t>::max());
    process_chunk added;
    added.work = work.shared_from_this();
    added.id = work.id;
    added.first = work.first;
    added.count = added.kept = static_cast<std::uint32_t>(work.count);
    added.timed = work.timeout > duration::zero();
    chunks_.reserve(chunks_.size() + 1);
    free_slots_.reserve(chunks_.size() + 1); // giving one back must not fail
    if (free_slots_.empty()) {
        BOOST_ASSERT(unused_slots_ < page_.layout().slots);
        added.slot = unused_slots_++;
    } else {
        added.slot = free_slots_.back();
        free_slots_.pop_back();
    }
    chunk_slot& slot = page_.slot(added.slot);
    slot.mark.store(0, std::memory_order_relaxed);
    slot.begun_at.store(0, std::memory_order_relaxed);
    slot.since.store(0, std::memory_order_relaxed);
    slot.until.store(0, std::memory_order_relaxed);
    slot.stop.store(0, std::memory_order_relaxed);
    slot.claim.store(pack(claim_state{chunk_tag(work.id), 0, false}), std::memory_order_release);
    chunks_.push_back(std::move(added));
    return chunks_.back();
}

std::optional<std::size_t> held_chunks::recall(chunk_id id) noexcept
{
    process_chunk* const held = look_up(id);
    if (!held)
        return 0;
    const auto kept = recall_tasks(page_.slot(held->slot).claim, chunk_tag(id), held->count);
    if (!kept || *kept < held->done || *kept > held->kept)
        return std::nullopt;
    held->kept = *kept;
    return held->kept;
}

void held_chunks::request_stop(chunk_id id) noexcept
{
    if (const process_chunk* const held = find(id))
        page_.slot(held->slot).stop.store(id, std::memory_order_release);
}

std::optional<backend::running_task> held_chunks::running(chunk_id id, time_point now) const noexcept
{
    const process_chunk* const held = find(id);
    if (!held || !held->timed)
        return std::nullopt;
    const chunk_slot& slot = page_.slot(held->slot);
    const std::uint64_t word = slot.mark.load(std::memory_order_acquire);
    const std::int64_t begun_at = slot.begun_at.load(std::memory_order_acquire);
    const auto mark = unpack_mark(word);
    if (!mark || mark->tag != chunk_tag(id) || begun_at == 0 || slot.mark.load(std::memory_order_relaxed) != word)
        return std::nullopt;
    if (mark->position < held->done || mark->position >= held->kept)
        return std::nullopt;
    return backend::running_task{mark->position, std::min(now, time_point(clock::duration(begun_at)))};
}

std::optional<backend::chunk_times> held_chunks::times(chunk_id id, time_point now) const noexcept
{
    const process_chunk* const held = find(id);
    if (!held)
        return std::nullopt;
    const chunk_slot& slot = page_.slot(held->slot);
    const std::int64_t since = slot.since.load(std::memory_order_acquire),
                       until = slot.until.load(std::memory_order_acquire);
    if (since <= 0)
        return std::nullopt;
    // What a worker says of times may be anything, but not what would run backwards.
    backend::chunk_times times{std::min(now, time_point(clock::duration(since))), std::nullopt};
    if (until > 0)
        times.until = std::clamp(time_point(clock::duration(until)), times.since, now);
    return times;
}

std::vector<worker_loss::begun_chunk> held_chunks::come_to(time_point now) const
{
    std::vector<worker_loss::begun_chunk> found;
    for (const process_chunk& held : chunks_)
        if (const auto known = times(held.id, now))
            found.push_back({held.id, known->since});
    return found;
}

void held_chunks::abandon(chunk_id id) noexcept
{
    process_chunk* const held = look_up(id);
    if (!held || held->abandoned)
        return;
    held->abandoned = true;
    ++abandoned_;
}

noted_chunk held_chunks::note(const record& what)
{
    process_chunk* const held = look_up(what.chunk);
    if (!held)
        throw error(errc::protocol_error, "a worker reported on a chunk that it does not hold");
    const noted_chunk noted{held->first, held->abandoned};
    if (what.kind != record_kind::ended) {
        if (what.position != held->done || what.count > held->kept - held->done)
            throw error(errc::protocol_error, "a worker reported on a task that it should not have run");
        if (what.kind != record_kind::used) // its outcome follows
            held->done += what.count;
        return noted;
    }
    if (held->done != held->kept)
        throw error(errc::protocol_error, "a worker ended a chunk before its tasks");
    if (held->abandoned)
        --abandoned_;
    free_slots_.push_back(held->slot);
    chunks_.erase(chunks_.begin() + (held - chunks_.data()));
    return noted;
}

std::vector<worker_loss::begun_task> held_chunks::begun() const
{
    std::vector<worker_loss::begun_task> begun;
    const auto on_cpu = unpack_mark(page_.on_cpu().load(std::memory_order_acquire));
    for (const process_chunk& held : chunks_) {
        const auto mark = unpack_mark(page_.slot(held.slot).mark.load(std::memory_order_acquire));
        if (held.abandoned || !mark || mark->tag != chunk_tag(held.id) || mark->position >= held.kept)
            continue;
        // A sound worker marks only the one behind the last outcome.
        const bool culprit = !held.work->coroutine || (on_cpu && on_cpu->tag == chunk_tag(held.id));
        for (std::uint32_t position = held.done; position <= mark->position; ++position)
            begun.push_back({held.id, position, culprit});
    }
    return begun;
}

life_phase held_chunks::step(chunk_id id) const noexcept
{
    const process_chunk* const held = find(id);
    if (!held)
        return life_phase::unknown;
    const auto step = static_cast<life_phase>(page_.slot(held->slot).step.load(std::memory_order_relaxed));
    return step == life_phase::decode || step == life_phase::call || step == life_phase::encode ? step
                                                                                                : life_phase::unknown;
}

} // namespace twat::mp::detail
