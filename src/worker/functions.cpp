// SPDX-License-Identifier: BSL-1.0
#include "worker/functions.hpp"

#include <algorithm>
#include <utility>

#include "function/function.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t kept_bytes = 4096;

} // namespace

known_function load_function(std::span<const std::byte> bytes)
{
    known_function known;
    try {
        decoder in(bytes);
        known.function = decode_function(in);
    }
    catch (...) {
        known.error = std::current_exception();
    }
    return known;
}

void function_table::add(std::uint64_t op, std::span<const std::byte> bytes)
{
    if (!last_ || !std::ranges::equal(last_bytes_.bytes(), bytes)) {
        last_ = std::make_shared<const known_function>(load_function(bytes));
        last_bytes_.clear();
        if (bytes.size() <= kept_bytes && !last_->error)
            last_bytes_.append(bytes.data(), bytes.size());
        else {
            functions_[op] = std::exchange(last_, nullptr);
            return;
        }
    }
    functions_[op] = last_;
}

std::shared_ptr<const known_function> function_table::find(std::uint64_t op) const
{
    const auto found = functions_.find(op);
    return found == functions_.end() ? nullptr : found->second;
}

} // namespace twat::mp::detail
