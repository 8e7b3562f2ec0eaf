// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_OBITUARY_HPP
#define TWAT_MP_SRC_PROCESS_OBITUARY_HPP

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <twat/mp/error.hpp>
#include <twat/mp/stacktrace.hpp>

#include "backend/backend.hpp"
#include "process/held_chunks.hpp"
#include "process/warden.hpp"
#include "process/worker_owner.hpp"
#include "process/worker_session.hpp"

namespace twat::mp::detail {

/// What became of a worker.
struct worker_end
{
    worker_action how{}; ///< One of `report_...`.
    worker_loss loss;
    exit_status status;
    bool given_up = false; ///< It could not be killed.
    /// A fresh exception that says why it is gone; empty if it ended as it was told.
    std::function<std::exception_ptr()> cause;
    std::string why;                        ///< The same, in words.
    stacktrace stack;                       ///< Where it crashed, or was when it was killed; may be empty.
    life_phase phase = life_phase::unknown; ///< What it was doing.
    bool in_task = false;                   ///< It held a task that it had begun, or was killed for one.
    /// Starting it again would fail again.
    bool hopeless = false;
    bool initializer_failed = false;
    bool launch_failed = false;
};

/// What the engine is told of it.
worker_loss loss_of(const worker_end& end, const worker_settings& settings);

/// How a worker was found when it was over.
struct last_state
{
    const worker_identity& worker;
    const worker_settings& settings;
    const held_chunks* held = nullptr; ///< Null: it never had any.
    worker_action how{};               ///< One of `report_...`.
    life_phase life{};                 ///< See `worker_session::life`.
    exit_status status;
    bool given_up = false;
    bool memory_refused = false; ///< It says that it was refused memory.
    std::size_t resident_size = 0;
    std::string error_tail{};
    stacktrace stack{};
    time_point now{};
};

/** Says what a worker's end means: which tasks are lost and whose fault it was, in which words, and whether another one would fare better.

    What is known before the end is noted while it lives. Does no I/O and looks at no clock.
*/
class obituary
{
public:
    enum class outlook {
        may_pass, ///< Another start may succeed.
        hopeless, ///< Another start would fail in the same way.
    };
    enum class blame {
        task,   ///< That ran or was cancelled.
        nobody, ///< Of the tasks that it still held.
    };

    /// Why it is killed, for the message.
    void killed_because(std::string note, blame whose = blame::task);
    /// What was wrong with what it sent. Only the first is kept.
    void sent_malformed(std::string what);
    bool has_sent_malformed() const noexcept { return !malformed_.empty(); }
    /// Its start failed; the last reason counts.
    void start_failed(errc code, std::string what, outlook another);
    bool has_failed_to_start() const noexcept { return start_failure_.has_value(); }
    /// There was no process.
    void launch_failed() noexcept { launch_failed_ = true; }
    bool was_launched() const noexcept { return !launch_failed_; }
    /// @param error Encoded.
    void initializer_failed(std::shared_ptr<const byte_buffer> error) { initializer_error_ = std::move(error); }

    worker_end write(const last_state& state) const;

private:
    struct start_failure
    {
        errc code;
        std::string what;
        outlook another;
    };

    std::string note_of(const last_state& state, bool in_task) const;
    void explain_death(const last_state& state, const std::string& note, worker_end& end) const;
    void explain_malformed(const last_state& state, worker_end& end) const;
    void explain_failed_start(const last_state& state, worker_end& end) const;
    static start_failure judge_early_end(const last_state& state, const worker_end& end);

    std::string malformed_;
    std::string note_;
    blame blame_ = blame::task;
    std::optional<start_failure> start_failure_;
    std::shared_ptr<const byte_buffer> initializer_error_;
    bool launch_failed_ = false;
};

} // namespace twat::mp::detail

#endif
