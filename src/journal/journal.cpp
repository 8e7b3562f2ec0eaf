// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/journal.hpp>

#include <utility>

#include "journal/journal_file.hpp"

namespace twat::mp::detail {

std::uint64_t hash_of(std::span<const std::byte> bytes) noexcept
{
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const std::byte b : bytes)
        hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x0000'0100'0000'01b3;
    return hash;
}

journal_use::journal_use(journal_place place) : place_(std::move(place)) {}
journal_use::~journal_use() = default;

void journal_use::open(const journal_owner& owner)
{
    std::lock_guard lock(mutex_);
    if (!file_)
        file_ = std::make_unique<journal_file>(place_, owner);
}

void journal_use::close() noexcept
{
    std::lock_guard lock(mutex_);
    file_.reset();
}

std::optional<std::vector<std::byte>> journal_use::find(const journal_key& key)
{
    std::lock_guard lock(mutex_);
    return file_ ? file_->find(key) : std::nullopt;
}

void journal_use::append(const journal_key& key, std::span<const std::byte> result)
{
    std::lock_guard lock(mutex_);
    if (file_) // otherwise its operation is over, and nobody wants the result
        file_->append(key, result);
}

} // namespace twat::mp::detail
