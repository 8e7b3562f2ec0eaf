// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_SHM_BLOCK_REGISTRY_HPP
#define TWAT_MP_SRC_SHM_BLOCK_REGISTRY_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/shared_block.hpp>
#include <twat/mp/unique_fd.hpp>

#include "os/descriptor.hpp"

namespace twat::mp::detail {

/// Whom descriptors of shared memory have arrived for, who may decode them as often as it likes.
struct block_owner
{
    enum class kind : std::uint8_t {
        chunk,    ///< In a worker, by number.
        function, ///< In a worker, by operation; 0: its initializer, state and finalizer.
        results,  ///< Of a worker, by its key.
    };
    kind what;
    std::uint64_t id;

    friend auto operator<=>(const block_owner&, const block_owner&) = default;
};

/** The `shared_block`s that this process refers to, by key, and the descriptors of those that have arrived and that nobody has decoded yet.

    A block that arrives again is the one that is here; the second descriptor is closed.
*/
class block_registry
{
public:
    static block_registry& instance();

    /// What this process has of a block: the object, or the descriptor to make it from.
    struct found
    {
        std::shared_ptr<shared_block> block{};
        std::shared_ptr<const int> descriptor{};
        bool was_sent = false; ///< To this process. Without a descriptor: it could have no more of them.
        bool is_from_parent = false;
    };
    found find(std::uint64_t key);

    /// The descriptor of a block that is to be added.
    std::shared_ptr<const int> own(std::uint64_t key, unique_descriptor fd);
    /// Returns the one that is there, if another thread was faster.
    std::shared_ptr<shared_block> add(const std::shared_ptr<shared_block>& block);
    /// In a worker: keeps one mapped that it was sent, as long as it is among the last ones.
    void keep(std::shared_ptr<shared_block> block);

    /// @param fd Empty: it was sent, and did not arrive.
    void put(block_owner owner, std::uint64_t key, unique_fd fd);
    /// Lets go of what has arrived for an owner.
    void drop(block_owner owner) noexcept;

private:
    struct entry
    {
        std::weak_ptr<shared_block> block;
        std::weak_ptr<const int> descriptor;
    };
    using arrival = std::pair<std::uint64_t, std::shared_ptr<const int>>;

    block_registry() = default;
    static block_registry& make();
    void forget(std::uint64_t key) noexcept;

    // Nothing that lets go of a block or a descriptor may be destroyed under it: the last one locks it to be forgotten.
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, entry> entries_;
    std::map<block_owner, std::vector<arrival>> arrivals_;
    std::atomic<std::size_t> owners_{0}; ///< Most processes never have any.
    std::deque<std::shared_ptr<shared_block>> kept_;
    bool keeps_ = true; ///< No more once a descriptor did not arrive: those that follow need the room.
};

} // namespace twat::mp::detail

#endif
