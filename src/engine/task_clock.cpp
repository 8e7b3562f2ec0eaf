// SPDX-License-Identifier: BSL-1.0
#include "engine/task_clock.hpp"

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// A loop that comes so late to the end of a worker's grace has not read what the worker sent meanwhile ...
constexpr duration late_look = std::chrono::milliseconds(5);
// ... and looks again when it has.
constexpr duration one_turn = std::chrono::milliseconds(1);

} // namespace

void task_clock::check_at(given_chunk& held, time_point when) noexcept
{
    if (held.owner)
        checks_.set(held.check, when);
    else
        unwanted_.set(held.check, held.outstanding() != 0 ? when : time_point::max());
}

void task_clock::disowned(given_chunk& held) noexcept
{
    const time_point check = held.check.due();
    checks_.clear(held.check);
    check_at(held, check);
}

std::optional<std::size_t> task_clock::late_task(given_chunk& held, const std::optional<backend::running_task>& running,
                                                 time_point now) noexcept
{
    if (!running) { // whatever begins later cannot be late before this
        check_from(held, now);
        return std::nullopt;
    }
    if (const time_point late = saturating_add(running->begun, held.work->timeout); late > now) {
        check_at(held, late);
        return std::nullopt;
    }
    const std::size_t position = running->position;
    if (position < held.settled || position >= held.keep) { // its outcome is on the way
        check_from(held, now);
        return std::nullopt;
    }
    return position;
}

void task_clock::check_from(given_chunk& held, time_point now) noexcept
{
    check_at(held, saturating_add(now, held.work->timeout));
}

void task_clock::kill_after_grace(given_chunk& held, time_point now) noexcept
{
    check_at(held, time_point::max());
    held.looked_twice = false;
    kills_.set(held.kill, std::min(held.kill.due(), saturating_add(now, grace_)));
}

bool task_clock::looks_again(given_chunk& held, time_point due, time_point now) noexcept
{
    if (now - due <= late_look || std::exchange(held.looked_twice, true))
        return false;
    kills_.set(held.kill, now + one_turn);
    return true;
}

void task_clock::prolong(given_chunk& held, time_point now) noexcept
{
    kills_.set(held.kill, saturating_add(now, grace_));
}

void task_clock::forget(given_chunk& held) noexcept
{
    checks_.clear(held.check);
    unwanted_.clear(held.check);
    kills_.clear(held.kill);
}

task_clock::overdue task_clock::take_overdue(time_point now) noexcept
{
    const time_point due = kills_.next();
    return {kills_.take_due(now), due};
}

given_chunk* task_clock::take_check(time_point now) noexcept
{
    given_chunk* const late = checks_.take_due(now);
    return late ? late : unwanted_.take_due(now);
}

} // namespace twat::mp::detail
