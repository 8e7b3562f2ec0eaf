// SPDX-License-Identifier: BSL-1.0
#include "shm/block_registry.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>

namespace twat::mp::detail {
namespace {

constexpr std::size_t most_kept = 8;
constexpr std::size_t most_kept_bytes = std::size_t(256) << 20;

} // namespace

block_registry& block_registry::instance()
{
    static block_registry& the_registry = make(); // blocks may outlive static destructors
    return the_registry;
}

// A fork in one thread while another holds the mutex would leave it locked in the child for ever.
block_registry& block_registry::make()
{
    block_registry& made = *new block_registry;
    ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                     [] { instance().mutex_.unlock(); });
    return made;
}

block_registry::found block_registry::find(std::uint64_t key)
{
    found result;
    std::lock_guard lock(mutex_);
    if (const auto known = entries_.find(key); known != entries_.end()) {
        result = {known->second.block.lock(), known->second.descriptor.lock()};
        if (result.block)
            return result;
    }
    for (const auto& [owner, keys] : arrivals_)
        if (std::ranges::find(keys, key, &arrival::first) != keys.end()) {
            result.was_sent = true;
            result.is_from_parent = result.is_from_parent || owner.what != block_owner::kind::results;
        }
    return result;
}

std::shared_ptr<const int> block_registry::own(std::uint64_t key, unique_descriptor fd)
{
    const int* const number = new int(fd.get());
    fd.release(); // the pointer's, also if it cannot be made
    return {number, [this, key](const int* held) {
                close_descriptor(*held);
                delete held;
                forget(key);
            }};
}

std::shared_ptr<shared_block> block_registry::add(const std::shared_ptr<shared_block>& block)
{
    std::lock_guard lock(mutex_);
    entry& here = entries_[block->key()];
    if (auto other = here.block.lock())
        return other;
    here = {block, block->descriptor()};
    return block;
}

void block_registry::keep(std::shared_ptr<shared_block> block)
{
    std::deque<std::shared_ptr<shared_block>> dropped;
    std::lock_guard lock(mutex_);
    if (!keeps_ || std::ranges::find(kept_, block) != kept_.end())
        return;
    std::size_t others = 0;
    for (const auto& one : kept_)
        others += one->size();
    kept_.push_back(std::move(block));
    while (kept_.size() > most_kept || others > most_kept_bytes) {
        others -= kept_.front()->size();
        dropped.push_back(std::move(kept_.front()));
        kept_.pop_front();
    }
}

void block_registry::put(block_owner owner, std::uint64_t key, unique_fd fd)
{
    std::shared_ptr<const int> arrived;
    if (fd)
        arrived = own(key, unique_descriptor(fd.release()));
    // Destroyed when the mutex is free: a second descriptor, and what makes room for those that come next.
    std::shared_ptr<const int> second;
    std::deque<std::shared_ptr<shared_block>> dropped;
    std::lock_guard lock(mutex_);
    entry& here = entries_[key];
    if (auto before = here.descriptor.lock())
        second = std::exchange(arrived, std::move(before));
    else if (arrived)
        here.descriptor = arrived;
    else {
        entries_.erase(key);
        dropped.swap(kept_);
        keeps_ = false;
    }
    arrivals_[owner].emplace_back(key, std::move(arrived));
    owners_ = arrivals_.size();
}

void block_registry::drop(block_owner owner) noexcept
{
    if (owners_.load(std::memory_order_relaxed) == 0)
        return;
    std::map<block_owner, std::vector<arrival>>::node_type dropped;
    std::lock_guard lock(mutex_);
    dropped = arrivals_.extract(owner);
    owners_ = arrivals_.size();
}

void block_registry::forget(std::uint64_t key) noexcept
{
    std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end() && found->second.descriptor.expired())
        entries_.erase(found);
}

} // namespace twat::mp::detail
