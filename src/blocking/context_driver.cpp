// SPDX-License-Identifier: BSL-1.0
#include "blocking/context_driver.hpp"

#include <algorithm>

#include "start/worker_context.hpp"

namespace twat::mp::detail {
namespace {

// Handlers that a thread which has what it waited for runs on its way out: what is left of its own operation (a cancelled read).
constexpr int most_left_behind = 4;
// And those that a thread runs which only wanted to post: its own, and what others post meanwhile.
constexpr int most_in_a_turn = 16;

constexpr auto without_end = std::chrono::steady_clock::time_point::max();

bool is_past(std::chrono::steady_clock::time_point limit) noexcept
{
    return limit != without_end && std::chrono::steady_clock::now() >= limit;
}

} // namespace

/// The calling thread runs handlers of a context. What they call is no task, whatever the thread was doing before.
class context_driver::scope
{
public:
    explicit scope(const context_driver& driver) noexcept
        : driver_(driver), outer_(innermost), worker_(enter_worker(nullptr))
    {
        innermost = this;
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope()
    {
        innermost = outer_;
        enter_worker(worker_);
    }

    static bool contains(const context_driver& driver) noexcept
    {
        for (const scope* s = innermost; s; s = s->outer_)
            if (&s->driver_ == &driver)
                return true;
        return false;
    }

private:
    static thread_local const scope* innermost;

    const context_driver& driver_;
    const scope* const outer_;
    worker_context* const worker_;
};

thread_local const context_driver::scope* context_driver::scope::innermost = nullptr;

bool context_driver::runs_here() const noexcept { return scope::contains(*this); }

namespace {

// Of which driver the calling thread has the turn, before it runs anything.
thread_local const context_driver* at_hand = nullptr;

} // namespace

/// As long as it lives, the calling thread has the turn and has run nothing yet.
class context_driver::chance
{
public:
    explicit chance(const context_driver* driver) noexcept : outer_(std::exchange(at_hand, driver)) {}
    chance(const chance&) = delete;
    chance& operator=(const chance&) = delete;
    ~chance() { at_hand = outer_; }

private:
    const context_driver* const outer_;
};

bool context_driver::may_run_here() const noexcept { return at_hand == this && pending_ == 0 && may_run_posted(); }

void context_driver::run_here(void (*call)(void*), void* what) noexcept
{
    const scope here(*this);
    const chance none(nullptr);
    call(what);
}

// A thread that posts says first that it will, and at the end looks whether somebody has the turn; `pass_on` and `serve` give up the turn
// first, then look whether anything is pending. So one of the two sees the other. If the handler has run by then nobody needs to be woken.
void context_driver::posted() noexcept
{
    if (turn_ != turn::nobody || pending_ == 0)
        return;
    std::lock_guard lock(mutex_);
    if (turn_ == turn::nobody && pending_ != 0) {
        turn_ = turn::kept_thread;
        changed_.notify_one();
    }
}

void context_driver::wait(blocking_wait& until, const std::function<void()>& begin,
                          std::chrono::steady_clock::time_point limit)
{
    bool leads = lead(); // before anything is posted, for which the kept thread would be woken
    try {
        const chance first(leads ? this : nullptr);
        begin();
    }
    catch (...) {
        if (leads)
            pass_on();
        throw;
    }
    for (;;) {
        if (leads) {
            run_until(until, limit);
            pass_on();
            if (until.finished() || is_past(limit))
                return;
        }
        leads = follow(until, limit);
        if (!leads)
            return;
    }
}

bool context_driver::lead() noexcept
{
    std::lock_guard lock(mutex_);
    if (turn_ != turn::nobody)
        return false;
    turn_ = turn::waiting_thread;
    return true;
}

// Also returns when the context is out of work: what `until` waits for will be posted by another thread.
void context_driver::run_until(const blocking_wait& until, std::chrono::steady_clock::time_point limit) noexcept
{
    const scope here(*this);
    context_.restart();
    while (!until.finished() && !context_.stopped()) {
        if (spin_.is_wanted()) {
            if (context_.poll_one() != 0) // this was there already, and tells nothing about spinning
                continue;
            if (spin_([&] { return context_.poll_one() != 0 || context_.stopped(); }))
                continue;
        }
        if (limit == without_end)
            context_.run_one();
        else if (context_.run_one_until(limit) == 0 && is_past(limit))
            return;
    }
}

std::shared_ptr<post_watcher> context_driver::take_turn() noexcept
{
    if (!may_run_posted())
        return nullptr;
    auto owner = owner_.lock();
    if (!owner || !lead())
        return nullptr;
    at_hand = this;
    return {std::move(owner), this};
}

// Each look at the context that finds nothing is a system call.
void context_driver::run_turn() noexcept
{
    at_hand = nullptr;
    context_.restart();
    {
        const scope here(*this);
        for (int i = 0; i < most_in_a_turn && !is_drained() && may_run_posted() && context_.poll_one() != 0; ++i) {
        }
    }
    pass_on(true);
}

// This thread has the turn, and gives it up.
void context_driver::pass_on(bool calls_only) noexcept
{
    context_.restart();
    bool drained = false;
    {
        const scope here(*this);
        for (int i = 0; i < most_left_behind && !drained && (!calls_only || may_run_posted()); ++i)
            drained = is_drained() || context_.poll_one() == 0;
    }
    const bool idle = context_.stopped() || (drained && !armed_);
    std::lock_guard lock(mutex_);
    if (!idle && !followers_.empty()) {
        blocking_wait* next = followers_.front();
        followers_.erase(followers_.begin());
        next->promote(true); // it cannot go away: `follow` takes the mutex before it returns
        return;
    }
    turn_ = turn::nobody;
    if (!idle || pending_ != 0)
        turn_ = turn::kept_thread;
    if (turn_ == turn::kept_thread || ended_)
        changed_.notify_one();
}

// True: this thread has the turn now. False: what it waits for is there, or its time is up.
bool context_driver::follow(blocking_wait& until, std::chrono::steady_clock::time_point limit)
{
    {
        std::lock_guard lock(mutex_);
        until.promote(false);
        followers_.push_back(&until);
    }
    until.wait_or_promoted(limit);
    std::lock_guard lock(mutex_);
    const auto found = std::find(followers_.begin(), followers_.end(), &until);
    if (found == followers_.end())
        return true;
    followers_.erase(found);
    return false;
}

void context_driver::serve() noexcept
{
    const scope here(*this);
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return turn_ == turn::kept_thread || (ended_ && turn_ == turn::nobody); });
        if (turn_ == turn::nobody)
            return;
        lock.unlock();
        context_.restart();
        while (!context_.stopped())
            if (armed_)
                context_.run_one();
            else if (context_.poll_one() == 0)
                break;
        lock.lock();
        turn_ = turn::nobody;
        if (pending_ != 0)
            turn_ = turn::kept_thread;
    }
}

void context_driver::end() noexcept
{
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
}

} // namespace twat::mp::detail
