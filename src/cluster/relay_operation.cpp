// SPDX-License-Identifier: BSL-1.0
#include "cluster/relay_operation.hpp"

#include <cstring>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp::detail::cluster {
namespace {

operation_traits traits_of(const task_message& task, const std::optional<duration>& remaining)
{
    operation_traits traits;
    traits.coroutine = task.coroutine;
    traits.stops_at_failure = false;
    traits.total = static_cast<std::size_t>(task.first + task.count);
    traits.first_index = task.first;
    traits.options.chunk_size = task.count;
    traits.keeps_bytes = true;
    traits.options.timeout = task.timeout;
    if (remaining)
        traits.options.deadline = std::max(*remaining, duration(1));
    return traits;
}

} // namespace

relay_operation::relay_operation(const task_message& task, std::vector<std::byte> body,
                                 std::optional<duration> remaining, std::string host, done_handler done)
    : operation(traits_of(task, remaining)), task_(task), body_(std::move(body)), host_(std::move(host)),
      outcomes_(task.count), done_(std::move(done))
{
    const std::size_t table = task.even ? 0 : std::size_t(task.count) * sizeof(std::uint64_t);
    if (task.function_size > body_.size() || table > body_.size() - task.function_size)
        throw error(errc::decode_failed, "a pool sent a malformed chunk");
    const std::span<const std::byte> rest = std::span(body_).subspan(static_cast<std::size_t>(task.function_size));
    ends_ = rest.first(table);
    arguments_ = rest.subspan(table);
}

attached_bytes relay_operation::encode_function(bool)
{
    attached_bytes function;
    function.bytes.append(body_.data(), static_cast<std::size_t>(task_.function_size));
    return function;
}

std::span<const std::byte> relay_operation::arguments(std::size_t position) const
{
    std::uint64_t end = begin_ + task_.equal_size;
    if (!task_.even)
        std::memcpy(&end, ends_.data() + position * sizeof end, sizeof end);
    if (end < begin_ || end > arguments_.size())
        throw error(errc::decode_failed, "a pool sent a malformed chunk");
    return arguments_.subspan(begin_, static_cast<std::size_t>(end) - begin_);
}

pull_result relay_operation::pull(payload& into, std::size_t max, std::size_t)
{
    auto& tasks = static_cast<encoded_payload&>(into);
    pull_result result;
    try {
        for (; result.count != max && next_ != task_.count; ++result.count) {
            const auto bytes = arguments(next_);
            tasks.writer().write_bytes(bytes.data(), bytes.size());
            tasks.end_task();
            begin_ += bytes.size();
            ++next_;
        }
    }
    catch (...) {
        result.broken = std::current_exception();
    }
    result.ended = next_ == task_.count;
    return result;
}

std::exception_ptr relay_operation::store(const finished_task& task) noexcept
{
    try {
        outcomes_.add_value(static_cast<std::size_t>(task.index - task_.first), task.value->rest());
        return nullptr;
    }
    catch (...) {
        return std::current_exception();
    }
}

void relay_operation::store_failure(std::uint64_t index, std::exception_ptr error) noexcept
{
    try {
        outcomes_.add_failure(static_cast<std::size_t>(index - task_.first), error, host_);
    }
    catch (...) { // it stays missing, and is told as such
    }
}

void relay_operation::complete(std::exception_ptr error) noexcept
{
    std::vector<std::byte> bytes;
    try {
        if (error)
            for (std::size_t position = 0; position != outcomes_.size(); ++position)
                if (!outcomes_.has(position))
                    outcomes_.add_failure(position, error, host_);
        bytes = outcomes_.take();
    }
    catch (...) { // the pool gets no outcomes, and says so
    }
    if (const auto done = std::exchange(done_, nullptr))
        done(std::move(bytes));
}

std::vector<std::byte> make_task_body(task_message& task, std::span<const std::byte> function,
                                      const encoded_payload& tasks)
{
    task.function_size = function.size();
    task.even = tasks.is_even();
    task.equal_size = tasks.equal_size();
    const auto ends = task.even ? std::span<const std::byte>() : std::as_bytes(tasks.ends());
    std::vector<std::byte> body;
    body.reserve(function.size() + ends.size() + tasks.bytes().size());
    for (const auto part : {function, ends, tasks.bytes()})
        body.insert(body.end(), part.begin(), part.end());
    task.body_size = body.size();
    return body;
}

} // namespace twat::mp::detail::cluster
