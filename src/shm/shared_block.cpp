// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/shared_block.hpp>

#include <twat/mp/error.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "os/descriptor.hpp"
#include "os/file_status.hpp"
#include "os/mapping.hpp"
#include "os/random_bits.hpp"
#include "shm/arena.hpp"
#include "shm/block_registry.hpp"

namespace twat::mp::detail {
namespace {

[[noreturn]] void throw_no_block(const std::string& why)
{
    throw error(errc::decode_failed, "the memory of a shared_vector " + why);
}

} // namespace

shared_block::shared_block(private_tag, std::uint64_t key, std::shared_ptr<const int> descriptor)
    : key_(key), descriptor_(std::move(descriptor))
{
    const auto status = status_of(*descriptor_);
    if (!status)
        throw std::system_error(errno, std::system_category(), "fstat of shared memory");
    size_ = static_cast<std::size_t>(status->size);
    data_ = map_shared(*descriptor_, 0, size_, memory_access::read_write);
    if (!data_)
        throw std::system_error(errno, std::system_category(), "mmap of shared memory");
}

shared_block::~shared_block() { unmap(data_, size_, size_); }

std::shared_ptr<shared_block> shared_block::make(std::size_t size)
{
    boost::system::error_code ec;
    unique_descriptor made = make_page(size, ec, "twat-mp shared_vector");
    if (ec)
        throw std::system_error(ec, "making shared memory");
    const std::uint64_t key = random_bits();
    block_registry& registry = block_registry::instance();
    auto block = std::make_shared<shared_block>(private_tag(), key, registry.own(key, std::move(made)));
    registry.add(block);
    return block;
}

std::shared_ptr<shared_block> shared_block::find(std::uint64_t key)
{
    block_registry& registry = block_registry::instance();
    const auto found = registry.find(key);
    if (found.block)
        return found.block;
    if (!found.descriptor && found.was_sent)
        throw_no_block("has not arrived: this process can have no more descriptors (RLIMIT_NOFILE)");
    if (!found.descriptor)
        throw_no_block("is not here: it does not go with bytes that are kept for later");
    // A process that says anything may send anything: what could be cut off would end this one.
    if (!cannot_shrink(*found.descriptor))
        throw_no_block("is something else");
    std::shared_ptr<shared_block> block;
    try {
        block = std::make_shared<shared_block>(private_tag(), key, found.descriptor);
    }
    catch (const std::system_error& e) {
        throw_no_block("cannot be mapped: " + e.code().message());
    }
    block = registry.add(block);
    if (found.is_from_parent)
        registry.keep(block);
    return block;
}

bool send_along(encoder& out, const std::shared_ptr<shared_block>& block)
{
    if (!block)
        return false;
    if (const auto* const known = out.known_memory(); known && std::ranges::find(*known, block->key()) != known->end())
        return true;
    attachments* const sent = out.attach_memory();
    if (sent) // the block lives as long as what goes along
        sent->push_back({out.size(), block->key(), std::shared_ptr<const int>(block, block->descriptor().get()), true});
    return sent != nullptr;
}

std::shared_ptr<shared_block> read_block(decoder& in)
{
    auto block = shared_block::find(in.read<std::uint64_t>());
    if (std::vector<std::uint64_t>* const noted = in.noted_memory())
        noted->push_back(block->key());
    return block;
}

} // namespace twat::mp::detail
