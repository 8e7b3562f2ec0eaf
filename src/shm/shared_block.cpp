// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/shared_block.hpp>

#include <twat/mp/error.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include "os/descriptor.hpp"
#include "os/file_status.hpp"
#include "os/mapping.hpp"
#include "os/own_process.hpp"
#include "shm/arena.hpp"
#include "start/marker.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t most_kept = 8;
constexpr std::size_t most_kept_bytes = std::size_t(256) << 20;

/// The blocks that this process refers to.
struct block_registry
{
    std::mutex mutex;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::weak_ptr<shared_block>> blocks; ///< By device and inode.
    std::deque<std::shared_ptr<shared_block>> kept; ///< In a worker: those that it was sent last.

    static block_registry& instance()
    {
        static block_registry& the_registry = make(); // blocks may outlive static destructors
        return the_registry;
    }

    /// @param dropped Gets those that are not kept any longer. Their destructors lock the mutex.
    void keep(std::shared_ptr<shared_block> block, std::deque<std::shared_ptr<shared_block>>& dropped)
    {
        std::size_t others = 0;
        for (const auto& one : kept)
            others += one->size();
        kept.push_back(std::move(block));
        while (kept.size() > most_kept || others > most_kept_bytes) {
            others -= kept.front()->size();
            dropped.push_back(std::move(kept.front()));
            kept.pop_front();
        }
    }

private:
    // A fork in one thread while another holds the mutex would leave it locked in the child for ever.
    static block_registry& make()
    {
        block_registry& made = *new block_registry;
        ::pthread_atfork([] { instance().mutex.lock(); }, [] { instance().mutex.unlock(); },
                         [] { instance().mutex.unlock(); });
        return made;
    }
};

[[noreturn]] void throw_no_block(const std::string& why)
{
    throw error(errc::decode_failed, "the memory of a shared_vector " + why);
}

bool is_it(const file_status& file, const shared_block::name& wanted)
{
    return file.device == wanted.device && file.inode == wanted.inode && file.size == wanted.size;
}

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::system_category(), what); }

} // namespace

shared_block::shared_block(private_tag, int descriptor, bool is_own)
{
    const auto status = status_of(descriptor);
    if (!status)
        throw_errno("fstat of shared memory");
    name_ = {static_cast<std::uint64_t>(::getpid()), static_cast<std::uint64_t>(descriptor), status->device,
             status->inode, status->size};
    data_ = map_shared(descriptor, 0, size(), memory_access::read_write);
    if (!data_)
        throw_errno("mmap of shared memory");
    if (is_own)
        descriptor_ = descriptor;
}

shared_block::~shared_block()
{
    unmap(data_, size(), size());
    if (descriptor_ != -1)
        ::close(descriptor_);
    block_registry& registry = block_registry::instance();
    std::lock_guard lock(registry.mutex);
    const auto found = registry.blocks.find({name_.device, name_.inode});
    if (found != registry.blocks.end() && found->second.expired())
        registry.blocks.erase(found);
}

std::shared_ptr<shared_block> shared_block::make(std::size_t size)
{
    boost::system::error_code ec;
    unique_descriptor made = make_page(size, ec, "twat-mp shared_vector");
    if (ec)
        throw std::system_error(ec, "making shared memory");
    auto block = std::make_shared<shared_block>(private_tag(), made.get(), true);
    made.release();
    block_registry& registry = block_registry::instance();
    std::lock_guard lock(registry.mutex);
    registry.blocks[{block->name_.device, block->name_.inode}] = block;
    return block;
}

std::shared_ptr<shared_block> shared_block::find(const name& wanted)
{
    block_registry& registry = block_registry::instance();
    // Before the lock, which the destructor of a block takes too.
    std::deque<std::shared_ptr<shared_block>> dropped;
    std::shared_ptr<shared_block> block;
    std::lock_guard lock(registry.mutex);
    if (const auto found = registry.blocks.find({wanted.device, wanted.inode}); found != registry.blocks.end())
        block = found->second.lock();
    if (block) {
        if (block->name_.size != wanted.size)
            throw_no_block("has another size");
        return block;
    }
    // Only a worker opens what it is told to: its parent made it what it is. What a worker says is looked up.
    if (get_worker_state() == worker_state::not_a_worker)
        throw_no_block("is not there any more");
    const std::string path = path_of_descriptor(wanted.process, wanted.descriptor);
    // A worker's own worker may name anything: nothing but what was named is opened.
    auto status = status_of(path);
    if (!status)
        throw_no_block("cannot be opened: " + std::system_category().message(errno));
    constexpr const char* not_there = "is not there any more: a shared_vector must live until the call has completed";
    if (!is_it(*status, wanted))
        throw_no_block(not_there);
    const unique_descriptor opened(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (opened.get() == -1)
        throw_no_block("cannot be opened: " + std::system_category().message(errno));
    status = status_of(opened.get());
    if (!status || !is_it(*status, wanted) || !cannot_shrink(opened.get()))
        throw_no_block(not_there);
    block = std::make_shared<shared_block>(private_tag(), opened.get(), false);
    block->name_ = wanted;
    registry.blocks[{wanted.device, wanted.inode}] = block;
    registry.keep(block, dropped);
    return block;
}

bool shared_block::has_name() const noexcept
{
    // Others cannot open what a process has open that must not be looked into, as after `setuid`.
    return descriptor_ == -1 || (get_worker_state() == worker_state::not_a_worker && may_be_looked_into());
}

shared_block::name shared_block::get_name() const noexcept
{
    name found = name_;
    if (descriptor_ != -1)
        found.process = static_cast<std::uint64_t>(::getpid()); // it may be a child of who made it
    return found;
}

} // namespace twat::mp::detail
