// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/payload.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/detail/function/worker_function.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace twat::mp::detail {

payload::~payload() = default;
decoded_result::~decoded_result() = default;
worker_function::~worker_function() = default;
operation::~operation() = default;
pool_core::~pool_core() = default;

std::size_t encoded_payload::descriptors() const noexcept
{
    if (!sent())
        return 0;
    std::array<std::uint64_t, 16> known; // more make no difference to anybody
    std::size_t count = 0;
    for (const attachment& each : *sent()) {
        const auto end = known.begin() + static_cast<std::ptrdiff_t>(count);
        if (std::find(known.begin(), end, each.key) != end)
            continue;
        if (count == known.size())
            break;
        known[count++] = each.key;
    }
    return count;
}

std::unique_ptr<payload> encoded_payload::extract(std::size_t position)
{
    auto made = std::make_unique<encoded_payload>();
    const auto arguments = (*this)[position];
    made->buffer().append(arguments.data(), arguments.size());
    made->end_task();
    const auto begin = static_cast<std::size_t>(arguments.data() - bytes().data());
    if (sent())
        for (const attachment& each : *sent())
            if (each.is_memory && each.offset >= begin && each.offset < begin + arguments.size())
                made->attach(each, each.offset - begin);
    return made;
}

std::unique_ptr<payload> encoded_payload::split(std::size_t position)
{
    auto tail = std::make_unique<encoded_payload>();
    const std::size_t cut = position == 0 ? 0 : end(position - 1);
    tail->buffer().append(buffer().data() + cut, buffer().size() - cut);
    tail->count_ = count_ - position;
    tail->equal_size_ = equal_size_;
    if (!is_even()) {
        tail->ends_.reserve(tail->count_);
        for (std::size_t i = position; i < count_; ++i)
            tail->ends_.push_back(ends_[i] - cut);
        ends_.resize(position);
        if (position == 0)
            equal_size_ = 0;
    }
    if (attachments* const sent = out_.sent(); sent && !sent->empty()) {
        for (attachment& each : *sent)
            if (each.offset >= cut)
                tail->attach(each, each.offset - cut);
        std::erase_if(*sent, [cut](const attachment& each) { return each.offset >= cut; });
    }
    count_ = position;
    buffer().truncate(cut);
    return tail;
}

void encoded_payload::append(const encoded_payload& other)
{
    const std::size_t begin = out_.size();
    if (other.sent())
        for (const attachment& each : *other.sent())
            attach(each, begin + each.offset);
    for (std::size_t i = 0; i != other.size(); ++i) {
        const auto task = other[i];
        buffer().append(task.data(), task.size());
        end_task();
    }
}

void encoded_payload::note_end()
{
    if (is_even()) {
        ends_.reserve(2 * (count_ + 1));
        for (std::size_t i = 1; i <= count_; ++i)
            ends_.push_back(i * equal_size_);
    }
    ends_.push_back(out_.size());
}

std::size_t operation::store_all(const finished_tasks& tasks, std::exception_ptr& error) noexcept
{
    for (std::size_t i = 0; i < tasks.count; ++i) {
        tasks.read(i, [&](const finished_task& task) { error = store(task); });
        if (error)
            return i;
    }
    return tasks.count;
}

attached_bytes operation::encode_function(bool) { return {}; }
void operation::set_chunk_size(std::size_t, std::size_t) {}
void operation::store_failure(std::uint64_t, std::exception_ptr) noexcept {}
void operation::report_progress(const progress&) {}
void operation::report_usage(const usage&) {}
std::exception_ptr operation::run(payload&, std::size_t, std::uint64_t) noexcept { return nullptr; }

std::size_t operation::run_some(payload& tasks, task_gate& gate, std::size_t begin, std::size_t end,
                                std::uint64_t first, std::vector<failed_task>& failures) noexcept
{
    return run_each(gate, begin, end, failures,
                    [&](std::size_t position) { return run(tasks, position, first + position); });
}

asio::awaitable<std::exception_ptr> operation::run_async(payload&, std::size_t, std::uint64_t) { co_return nullptr; }

} // namespace twat::mp::detail
