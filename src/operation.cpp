// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation.hpp>
#include <twat/mp/detail/payload.hpp>
#include <twat/mp/detail/pool_core.hpp>
#include <twat/mp/detail/worker_function.hpp>

namespace twat::mp::detail {

payload::~payload() = default;
worker_function::~worker_function() = default;
operation::~operation() = default;
pool_core::~pool_core() = default;

std::unique_ptr<payload> encoded_payload::split(std::size_t position)
{
    auto tail = std::make_unique<encoded_payload>();
    const std::uint64_t cut = position == 0 ? 0 : ends_[position - 1];
    tail->bytes_.append(bytes_.data() + cut, bytes_.size() - cut);
    tail->ends_.reserve(ends_.size() - position);
    for (std::size_t i = position; i < ends_.size(); ++i)
        tail->ends_.push_back(ends_[i] - cut);
    ends_.resize(position);
    bytes_.truncate(cut);
    return tail;
}

byte_buffer operation::encode_function(bool) { return {}; }
void operation::set_chunk_size(std::size_t, std::size_t) {}
void operation::store_failure(std::uint64_t, std::exception_ptr) noexcept {}
void operation::report_progress(const progress&) {}
std::exception_ptr operation::run(payload&, std::size_t, std::uint64_t) noexcept { return nullptr; }

asio::awaitable<std::exception_ptr> operation::run_async(payload&, std::size_t, std::uint64_t)
{
    co_return nullptr;
}

} // namespace twat::mp::detail
