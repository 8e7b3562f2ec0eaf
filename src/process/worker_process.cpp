// SPDX-License-Identifier: BSL-1.0
#include "process/worker_process.hpp"

#include <twat/mp/error.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "function/module.hpp"
#include "os/cpu_time.hpp"
#include "start/worker_marker.hpp"
#include "wire/messages.hpp"

namespace twat::mp::detail {
namespace {

/// Within this after its hang-up a process should be over.
constexpr duration exit_grace = std::chrono::milliseconds(100);
/// What SIGKILL does not end within this is given up.
constexpr duration give_up_after = std::chrono::seconds(2);
/// The same, when somebody waits for the end of all.
constexpr duration give_up_at_end_after = std::chrono::milliseconds(200);

/// Not all workers are to reach the limit at once. @param random 64 random bits.
std::size_t with_jitter(std::size_t limit, double jitter, std::uint64_t random)
{
    if (limit == 0)
        return 0;
    const double part = static_cast<double>(random >> 11) / static_cast<double>(std::uint64_t(1) << 53); // from 0 to 1
    return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(limit) * (1 - jitter * part)));
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
    : owner_(&owner), identity_{.id = id, .node = node}, nonce_(make_nonce()),
      max_rss_(with_jitter(owner.settings().max_rss, owner.settings().recycle_jitter, nonce_))
{}

worker_process::~worker_process()
{
    detach();
    drop_arrived();
}

// ---------------------------------------------------------------- what comes from outside

void worker_process::on_exit(exit_status status)
{
    status_ = status;
    session_.resume(worker_input::exited);
    settle_now();
}

void worker_process::on_given_up()
{
    session_.resume(worker_input::given_up);
    settle_now();
}

void worker_process::settle_now()
{
    worker_owner& owner = *owner_;
    owner.begin_batch(*this);
    settle();
    owner.end_batch();
}

// ---------------------------------------------------------------- what is done about it

worker_action worker_process::resume(worker_input input)
{
    const worker_action action = session_.resume(input);
    act(action);
    return action;
}

void worker_process::act(worker_action action)
{
    if (!owner_)
        return;
    const worker_settings& settings = owner_->settings();
    switch (action) {
    case worker_action::greet: say_hello(); break;
    case worker_action::take_work:
        if (settings.debug && clock::now() - started_at_ > std::chrono::seconds(1))
            std::fprintf(stderr, "twat-mp: %s took %.1f s to get ready\n", identity_.name().c_str(),
                         std::chrono::duration<double>(clock::now() - started_at_).count());
        owner_->worker_is_ready(*this);
        break;
    case worker_action::say_goodbye:
        parts_->link.channel().queue({frame_type::goodbye, 0, 0, 0});
        start_kill(settings.stop_grace, duration::zero());
        flush();
        break;
    case worker_action::kill:
        start_kill(parts_ ? parts_->stacks->time_to_answer() : duration::zero(), settings.stop_grace);
        break;
    case worker_action::await_exit: start_kill(exit_grace, duration::zero()); break;
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
    write_hello(bytes,
                {protocol_version, settings.debug, !settings.executable.empty(), node(), settings.nodes,
                 settings.child_concurrency, settings.max_message_size, build_id(), settings.initializer.bytes.bytes(),
                 settings.state.bytes.bytes(), settings.finalizer.bytes.bytes(), max_rss_ != 0, settings.spin,
                 settings.max_memory, chaos, settings.chaos.slow_start(id())});
    for (const attached_bytes* hook : {&settings.initializer, &settings.state, &settings.finalizer})
        parts_->link.channel().queue_attached({frame_type::memory, frame_flag_function, 0, 0}, memory_of(hook->sent));
    parts_->link.channel().queue({frame_type::hello, 0, 0, 0}, bytes.bytes());
    flush();
}

void worker_process::start_kill(duration before_sigterm, duration before_sigkill)
{
    if (!child_)
        return;
    try {
        std::function<void()> given_up = on_strand(&worker_process::on_given_up);
        child_->end(before_sigterm, before_sigkill, owner_->ending() ? give_up_at_end_after : give_up_after,
                    std::move(given_up));
    }
    catch (...) {
        child_->kill();
    }
}

void worker_process::fail_start(std::string what, errc code, obituary::outlook another)
{
    obituary_.start_failed(code, std::move(what), another);
}

void worker_process::give_up_start()
{
    if (!owner_ || !session_.is_starting() || !session_.is_reachable())
        return; // what became of it follows
    if (session_.phase() == worker_phase::launching) {
        fail_start(
            "the process of worker " + std::to_string(node()) +
            " was not started within pool_options::start_timeout: the machine is busy, or the time is too short");
        resume(worker_input::unfit);
        return;
    }
    const bool greeted = session_.phase() == worker_phase::initializing;
    fail_start(worker_identity{id(), node(), pid()}.name() + " was not ready within pool_options::start_timeout" +
               had_a_cpu_for(pid()) + "; " +
               (greeted ? "its initializer still runs"
                        : "either its program needs longer than that before it calls twat::mp::run_if_worker(argc, "
                          "argv), or main() does not call it as its first statement"));
    resume(worker_input::unfit);
}

void worker_process::leave()
{
    const worker_action action = resume(worker_input::leave);
    // One that is being ended already had more time for it than those who wait for the end of all.
    if (action != worker_action::none || !owner_ || !owner_->ending())
        return;
    if (session_.phase() == worker_phase::leaving)
        start_kill(owner_->settings().stop_grace, duration::zero());
    else if (session_.is_being_killed())
        start_kill(duration::zero(), owner_->settings().stop_grace);
}

void worker_process::flush()
{
    if (!owner_ || !parts_ || !parts_->link.channel().has_unsent() || !session_.is_reachable() ||
        session_.is_being_killed())
        return;
    if (!parts_->link.send())
        hung_up();
    if (parts_->link.is_blocked() && !parts_->link.waits_to_write())
        update_waits();
}

void worker_process::update_waits()
{
    if (!owner_ || !parts_ || !parts_->link.is_open())
        return;
    const bool talks = owner_->active() && session_.is_reachable() && !session_.is_being_killed();
    parts_->link.wait(talks && !reads_later_ && session_.expects(is_busy()), talks && parts_->link.is_blocked(),
                      std::shared_ptr<link_user>(shared_from_this(), this));
}

// ---------------------------------------------------------------- the end

void worker_process::settle()
{
    if (session_.is_over())
        finish();
}

// The process is over: what it left behind is read before anything is decided.
void worker_process::finish()
{
    const auto self = shared_from_this();
    if (!owner_ || session_.phase() == worker_phase::dead)
        return;
    if (parts_ && obituary_.was_launched() && !obituary_.has_sent_malformed()) {
        try {
            parts_->link.drain();
        }
        catch (const error& e) {
            sent_malformed(e.what());
        }
    }
    if (!owner_ || (parts_ && !parts_->outcomes.empty()))
        return; // or later, when what it finished was told
    const worker_end end = obituary_.write(state_at_end());
    worker_owner* const owner = std::exchange(owner_, nullptr);
    if (child_ && end.given_up)
        child_->forget();
    let_go();
    owner->worker_is_gone(*this, end);
}

last_state worker_process::state_at_end()
{
    identity_.pid = pid();
    last_state state{.worker = identity_, .settings = owner_->settings(), .status = status_};
    state.life = session_.life();
    state.how = session_.resume(worker_input::lost);
    state.given_up = session_.is_given_up();
    state.now = clock::now();
    if (child_)
        state.error_tail = child_->error_tail();
    if (parts_) {
        state.held = &parts_->held;
        state.memory_refused = parts_->page.memory_refused().load(std::memory_order_relaxed) != 0;
        state.resident_size = parts_->page.resident_size().load(std::memory_order_relaxed);
        state.stack = parts_->stacks->crash(status_.signal);
        if (state.stack.empty())
            state.stack = parts_->stacks->asked();
    }
    return state;
}

void worker_process::detach() noexcept
{
    owner_ = nullptr;
    if (parts_)
        parts_->outcomes.drop();
    if (child_ && !session_.has_exited()) {
        child_->forget();
        child_->kill();
    }
    let_go();
}

void worker_process::let_go() noexcept
{
    if (!parts_)
        return;
    parts_->stacks->settle();
    parts_->link.close();
}

} // namespace twat::mp::detail
