// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/operation/journal.hpp>
#include <twat/mp/detail/operation/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace twat::mp::detail {
namespace {

/// Items that are taken from a journal in one turn.
constexpr std::size_t most_skipped = 1024;

/// Hands everything on to another operation.
class wrapped_operation : public operation
{
public:
    wrapped_operation(operation_traits traits, std::shared_ptr<operation> inner)
        : operation(traits), inner_(std::move(inner))
    {}

    attached_bytes encode_function(bool by_name) override { return inner_->encode_function(by_name); }
    const char* function_types() const noexcept override { return inner_->function_types(); }
    std::unique_ptr<payload> make_payload() const override { return inner_->make_payload(); }
    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        return inner_->pull(into, max, limit);
    }
    bool pulls_for_nothing() const noexcept override { return inner_->pulls_for_nothing(); }
    std::size_t demand() const override { return inner_->demand(); }
    void set_chunk_size(std::size_t nodes, std::size_t chunk_size) override
    {
        inner_->set_chunk_size(nodes, chunk_size);
    }
    result_decoder decodes_apart() const noexcept override { return inner_->decodes_apart(); }
    std::exception_ptr store(const finished_task& task) noexcept override { return inner_->store(task); }
    std::size_t store_all(const finished_tasks& tasks, std::exception_ptr& error) noexcept override
    {
        return inner_->store_all(tasks, error);
    }
    void store_failure(std::uint64_t index, std::exception_ptr error) noexcept override
    {
        inner_->store_failure(index, std::move(error));
    }
    void report_progress(const progress& now) override { inner_->report_progress(now); }
    void report_usage(const usage& used) override { inner_->report_usage(used); }
    void complete(std::exception_ptr error) noexcept override { inner_->complete(std::move(error)); }
    std::exception_ptr run(payload& tasks, std::size_t position, std::uint64_t index) noexcept override
    {
        return inner_->run(tasks, position, index);
    }
    std::size_t run_some(payload& tasks, task_gate& gate, std::size_t begin, std::size_t end, std::uint64_t first,
                         std::vector<failed_task>& failures) noexcept override
    {
        return inner_->run_some(tasks, gate, begin, end, first, failures);
    }
    asio::awaitable<std::exception_ptr> run_async(payload& tasks, std::size_t position, std::uint64_t index) override
    {
        return inner_->run_async(tasks, position, index);
    }

protected:
    operation& inner() noexcept { return *inner_; }

private:
    const std::shared_ptr<operation> inner_;
};

/// Its journal is open from the first task to the end.
class opening_operation : public wrapped_operation
{
public:
    opening_operation(operation_traits traits, std::shared_ptr<operation> inner, std::shared_ptr<journal_use> journal,
                      journal_owner owner)
        : wrapped_operation(traits, std::move(inner)), journal_(std::move(journal)), owner_(std::move(owner))
    {}

    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        if (auto error = open())
            return {.broken = error};
        return wrapped_operation::pull(into, max, limit);
    }

    /// Whoever waits may begin the next operation with the same journal at once.
    void complete(std::exception_ptr error) noexcept override
    {
        journal_->close();
        wrapped_operation::complete(std::move(error));
    }

protected:
    std::exception_ptr open() noexcept
    {
        if (std::exchange(opened_, true))
            return nullptr;
        try {
            journal_->open(owner_);
            return nullptr;
        }
        catch (...) {
            return std::current_exception();
        }
    }
    journal_use& journal() noexcept { return *journal_; }

private:
    const std::shared_ptr<journal_use> journal_;
    const journal_owner owner_;
    bool opened_ = false;
};

/** Leaves out the tasks whose results the journal has, and adds those that arrive.

    Tasks of a chunk are neighbours, so a chunk ends where some are left out. The one behind those waits until the next chunk is made.
*/
class encoded_operation final : public opening_operation
{
public:
    using opening_operation::opening_operation;

    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        pull_result done;
        if (done.broken = open(); done.broken)
            return done;
        try {
            auto& tasks = static_cast<encoded_payload&>(into);
            const bool fresh = tasks.size() == 0;
            done.skipped = std::exchange(behind_, 0);
            if (waiting_)
                tasks.append(*waiting_), waiting_.reset(), ++done.count;
            // a stream's reader has no more room
            const std::size_t most = traits().stream ? max : std::max(max, most_skipped);
            while (!ended_ && !refused_ && done.count < max && done.count + done.skipped + behind_ < most)
                if (!pull_next(tasks, fresh, limit, done))
                    break;
            if (behind_ == 0 && !waiting_)
                done.refused = std::exchange(refused_, nullptr);
            done.gap = behind_ != 0 || waiting_ || refused_;
            done.ended = ended_ && !done.gap && !done.refused;
            done.broken = done.gap ? nullptr : broken_;
        }
        catch (...) {
            done.broken = std::current_exception();
        }
        return done;
    }

    bool pulls_for_nothing() const noexcept override { return false; }
    /// The bytes are wanted here.
    result_decoder decodes_apart() const noexcept override { return nullptr; }

    std::exception_ptr store(const finished_task& task) noexcept override
    {
        try {
            const auto found = hashes_.find(task.index);
            const std::span<const std::byte> bytes = task.value ? task.value->rest() : std::span<const std::byte>();
            if (auto unreadable = inner().store(task))
                return unreadable;
            if (found != hashes_.end()) {
                journal().append({task.index, found->second}, bytes);
                hashes_.erase(found);
            }
            return nullptr;
        }
        catch (...) {
            return annotate(std::current_exception(), task.index);
        }
    }

    std::size_t store_all(const finished_tasks& tasks, std::exception_ptr& error) noexcept override
    {
        return operation::store_all(tasks, error); // NOLINT(bugprone-parent-virtual-call): one by one, to keep each
    }

    void store_failure(std::uint64_t index, std::exception_ptr error) noexcept override
    {
        hashes_.erase(index);
        inner().store_failure(index, std::move(error));
    }

private:
    /// False: the chunk ends here.
    bool pull_next(encoded_payload& tasks, bool fresh, std::size_t limit, pull_result& done)
    {
        const pull_result one = inner().pull(tasks, 1, limit);
        ended_ = one.ended || one.broken;
        broken_ = one.broken;
        if (one.refused) {
            refused_ = one.refused;
            ++next_;
            return false;
        }
        if (one.count == 0)
            return false;
        const std::uint64_t index = next_++;
        const auto arguments = tasks[tasks.size() - 1];
        const journal_key key{index, hash_of(arguments)};
        if (const auto found = journal().find(key)) {
            decoder value(*found);
            if (!inner().store({.index = index, .value = &value})) {
                tasks.split(tasks.size() - 1);
                ++(fresh && done.count == 0 ? done.skipped : behind_);
                return true;
            }
        }
        hashes_.emplace(index, key.hash);
        if (behind_ == 0) {
            ++done.count;
            return true;
        }
        waiting_.reset(static_cast<encoded_payload*>(tasks.split(tasks.size() - 1).release()));
        return false;
    }

    std::unordered_map<std::uint64_t, std::uint64_t> hashes_; ///< Of the arguments of tasks without an outcome.
    std::uint64_t next_ = 0;
    std::size_t behind_ = 0;                   ///< Tasks that were left out behind those that were handed out.
    std::unique_ptr<encoded_payload> waiting_; ///< The task behind those.
    std::exception_ptr refused_, broken_;
    bool ended_ = false;
};

} // namespace

std::shared_ptr<operation> journaled(std::shared_ptr<operation> op, std::shared_ptr<journal_use> journal,
                                     journal_owner owner, bool encodes)
{
    operation_traits traits = op->traits();
    traits.keeps_bytes = encodes;
    if (encodes)
        return std::make_shared<encoded_operation>(traits, std::move(op), std::move(journal), std::move(owner));
    return std::make_shared<opening_operation>(traits, std::move(op), std::move(journal), std::move(owner));
}

} // namespace twat::mp::detail
