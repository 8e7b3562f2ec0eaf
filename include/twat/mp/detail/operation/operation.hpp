// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_OPERATION_HPP
#define TWAT_MP_DETAIL_OPERATION_OPERATION_HPP

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <typeinfo>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/detail/operation/decoded_result.hpp>
#include <twat/mp/detail/operation/payload.hpp>
#include <twat/mp/detail/operation/task_gate.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

struct operation_state;

/// What the engine has to know of an operation before its first task.
struct operation_traits
{
    call_options options{};
    bool coroutine = false;       ///< Tasks are coroutines.
    bool stream = false;          ///< `imap`, `uimap`: fed by demand; a failed task does not end the operation.
    bool stops_at_failure = true; ///< `apply`, `map`, `starmap`: the first failure drops what has not begun.
    /// `apply`, `submit`: on the strand nothing of the caller's runs but moves of arguments and result.
    bool call = false;
    bool counts_progress = false;          ///< `report_progress` wants to be called.
    bool counts_usage = false;             ///< `report_usage` does.
    std::optional<std::size_t> total{};    ///< Tasks, where the range knows its size.
    const std::type_info* state = nullptr; ///< What tasks get of their worker's, see `worker_state`; null: nothing.
    /// Of the first task: not 0 for a piece of another pool's operation. `total` counts from 0.
    std::uint64_t first_index = 0;
    /// Results are kept, or sent on, as their bytes alone: memory that a worker made is copied into them, descriptors are refused.
    bool keeps_bytes = false;
};

/// What `operation::pull` did.
struct pull_result
{
    std::size_t count = 0;        ///< Tasks appended to the payload.
    bool ended = false;           ///< The range has no more elements.
    std::exception_ptr refused{}; ///< The element behind the appended ones cannot be sent; it is a failed task.
    std::exception_ptr broken{};  ///< The range threw this. Nothing more can be pulled.
    /// Tasks before the appended ones that have their results already; only where the payload was empty.
    std::size_t skipped = 0;
    bool gap = false; ///< Such tasks come next: nothing more can be appended to this payload.
};

/// A task that a worker finished with a value.
struct finished_task
{
    std::uint64_t index;               ///< Position in the input.
    decoder* value = nullptr;          ///< Processes: the encoded result, exactly its bytes.
    decoded_result* decoded = nullptr; ///< Or the result, decoded by `operation::decodes_apart()`, to be moved from.
    payload* tasks = nullptr;          ///< Threads: the payload in which `run` left the result,
    std::size_t position = 0;          ///<   and where in it.
};

/// Encoded results of neighbouring tasks, all of one size and equally far apart.
struct encoded_values
{
    const std::byte* first;
    std::size_t size;     ///< Of each.
    std::size_t distance; ///< From one to the next.

    std::span<const std::byte> operator[](std::size_t i) const noexcept { return {first + i * distance, size}; }
};

/// Neighbouring tasks that a worker finished with values.
struct finished_tasks
{
    std::uint64_t first; ///< Position in the input of the first one.
    std::size_t count;
    const encoded_values* values = nullptr; ///< Processes.
    payload* tasks = nullptr;               ///< Threads, as for `finished_task`.
    std::size_t position = 0;

    /// Calls `f` with one of them.
    template <class Function>
    void read(std::size_t i, Function&& f) const
    {
        if (values)
            read_encoded(i, f);
        else
            read_left(i, f);
    }

    /// The same for processes. (A compiler that thinks of a null `value` warns of it in the user's program.)
    template <class Function>
    void read_encoded(std::size_t i, Function&& f) const
    {
        decoder in((*values)[i]);
        f(finished_task{.index = first + i, .value = &in});
    }

    /// The same for threads.
    template <class Function>
    void read_left(std::size_t i, Function&& f) const
    {
        f(finished_task{.index = first + i, .tasks = tasks, .position = position + i});
    }
};

/// A task that threw, by its position in its chunk.
struct failed_task
{
    std::size_t position;
    std::exception_ptr error;
};

/// The loop of `operation::run_some`; `run(position)` returns what the task threw.
template <class Run>
std::size_t run_each(task_gate& gate, std::size_t begin, std::size_t end, std::vector<failed_task>& failures, Run run)
{
    std::size_t position = begin;
    while (position != end && gate.begin(position)) {
        std::exception_ptr error = run(position);
        ++position;
        if (error) {
            failures.push_back({position - 1, std::move(error)});
            break;
        }
    }
    return position;
}

/** All tasks of one call of a pool's verb: the typed side of an operation, seen by the untyped engine.

    The engine owns the decisions (when to pull, whom to give it, when it is over); an implementation owns the range, the
    function, the results and the completion handler. Unless said otherwise the members are called on the pool's strand, one
    at a time, and never again after `complete`. An operation that is destroyed without `complete` drops its handler
    uncalled (its context has ended).
*/
class TWAT_MP_DECL operation
{
public:
    explicit operation(operation_traits traits) : traits_(traits) {}
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    virtual ~operation();

    const operation_traits& traits() const noexcept { return traits_; }

    /// Processes: the function and its bound arguments as `encode_function` wrote them; sent once per worker. May throw
    /// (an unregistered function for a foreign executable, a bound value that cannot be encoded): the operation then
    /// completes with that exception. Called once, before the first `pull`.
    virtual attached_bytes encode_function(bool by_name);

    /// The types of the function and of its parameters, as `types_text` returns them.
    virtual const char* function_types() const noexcept { return ""; }

    virtual std::unique_ptr<payload> make_payload() const = 0;

    /// Appends up to `max` tasks from the range. @param limit Bytes that one task's arguments may take.
    virtual pull_result pull(payload& into, std::size_t max, std::size_t limit) = 0;

    /// Whether pulling costs nothing, however many tasks: the range is not looked at for it.
    virtual bool pulls_for_nothing() const noexcept { return false; }

    /// Tasks that may be pulled now: streams, what their window leaves; others, no bound.
    virtual std::size_t demand() const { return std::numeric_limits<std::size_t>::max(); }

    /// Streams whose window is not given: told the chunk size when it changes. The window is 2 x nodes x chunk.
    virtual void set_chunk_size(std::size_t nodes, std::size_t chunk_size);

    /// Processes: how a large result is decoded away from the strand. Null: `store` does it.
    virtual result_decoder decodes_apart() const noexcept { return nullptr; }

    /// Keeps a value. Returns an exception if it cannot be read; the task has then failed with it.
    virtual std::exception_ptr store(const finished_task& task) noexcept = 0;

    /// The same for several, in one call: thousands of small results arrive together. Returns how many it kept; if one cannot be read it
    /// ends there and says in `error` why.
    virtual std::size_t store_all(const finished_tasks& tasks, std::exception_ptr& error) noexcept;

    /// Keeps a failure; not called if `stops_at_failure` (the lowest failed index then comes with `complete`).
    virtual void store_failure(std::uint64_t index, std::exception_ptr error) noexcept;

    /// Called after outcomes arrived, if `counts_progress`. May throw: the operation then fails with that exception.
    virtual void report_progress(const progress& now);

    /// Called for each task that was measured, before the progress that counts it, if `counts_usage`. May throw as that.
    virtual void report_usage(const usage& used);

    /// The operation is over: with its values, or with an error. The last call. Streams: no further element will come; an
    /// error is told by the read that follows the last element.
    virtual void complete(std::exception_ptr error) noexcept = 0;

    /// Threads: calls the function for one task, in the worker's thread, and leaves the result in `tasks`. Returns the
    /// exception that the function threw, annotated with `index`.
    virtual std::exception_ptr run(payload& tasks, std::size_t position, std::uint64_t index) noexcept;

    /// Threads: the same for the tasks from `begin` up to `end`, each once `gate` lets it begin, or until one throws, which is added to
    /// `failures`. `first` is the index of the payload's first task. Returns the position behind the last one that ran.
    virtual std::size_t run_some(payload& tasks, task_gate& gate, std::size_t begin, std::size_t end,
                                 std::uint64_t first, std::vector<failed_task>& failures) noexcept;

    /// Threads, coroutines: the same as `run`, as a coroutine on the worker's own context.
    virtual asio::awaitable<std::exception_ptr> run_async(payload& tasks, std::size_t position, std::uint64_t index);

    /// What the engine that has it knows of it; null: none has it. For that engine.
    operation_state* known_as() const noexcept { return known_as_; }
    void set_known_as(operation_state* state) noexcept { known_as_ = state; }

private:
    operation_traits traits_;
    operation_state* known_as_ = nullptr;
};

} // namespace twat::mp::detail

#endif
