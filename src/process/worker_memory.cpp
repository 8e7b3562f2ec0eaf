// SPDX-License-Identifier: BSL-1.0
#include "process/worker_memory.hpp"

#include <algorithm>
#include <cstdint>

namespace twat::mp::detail {
namespace {

/// Of the page, one for each chunk, with some to spare.
constexpr std::size_t plain_slots = most_plain_chunks + 8;
/// The largest value that may lie in shared memory, once there and once back. Only what was used takes memory, and keeps it.
constexpr std::uint64_t arena_capacity = std::uint64_t(128) << 20;
/// Where the size of files or the address space is limited. Below it values go through the socket.
constexpr std::uint64_t least_arena_capacity = std::uint64_t(1) << 20;

page_layout layout_for(std::size_t nodes, std::size_t child_concurrency)
{
    // Twice, for coroutines that were abandoned and still run.
    const std::size_t slots =
        std::min<std::size_t>(plain_slots + 2 * std::min<std::size_t>(child_concurrency, 1u << 22), 1u << 23);
    page_layout layout{static_cast<std::uint32_t>(slots), page_layout{}.ring_capacity, arena_capacity};
    // A quarter of what is left of the address space, where that is limited: each worker takes up two arenas, here and there.
    const std::uint64_t most_arena = free_address_space() / 4 / (2 * std::max<std::size_t>(nodes, 1));
    while (layout.arena_capacity != 0 &&
           (shared_page::size_of(layout) > most_file_size() || layout.arena_capacity > most_arena))
        layout.arena_capacity = layout.arena_capacity > least_arena_capacity ? layout.arena_capacity / 2 : 0;
    return layout;
}

} // namespace

worker_memory make_worker_memory(std::size_t nodes, std::size_t child_concurrency, boost::system::error_code& ec)
{
    worker_memory made;
    page_layout layout = layout_for(nodes, child_concurrency);
    made.file = make_page(shared_page::size_of(layout), ec);
    if (ec)
        return {};
    made.arguments = arena_mapping(made.file.get(), layout, arena_mapping::use::arguments);
    made.results = arena_mapping(made.file.get(), layout, arena_mapping::use::results);
    if (layout.arena_capacity != 0 && (made.arguments.bytes().empty() || made.results.bytes().empty())) {
        layout.arena_capacity = 0; // the worker must not use one that is not mapped here
        made = {};
        made.file = make_page(shared_page::size_of(layout), ec);
        if (ec)
            return {};
    }
    made.page = shared_page::create(made.file.get(), layout);
    made.stacks = stack_area(made.file.get(), layout);
    return made;
}

} // namespace twat::mp::detail
