// SPDX-License-Identifier: BSL-1.0
#include "shm/shared_page.hpp"

#include <twat/mp/error.hpp>

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "os/file_status.hpp"
#include "os/mapping.hpp"
#include "os/overcommit.hpp"
#include "shm/stack_area.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::uint64_t page_magic = 0x7477'6174'6d70'7067;
constexpr std::uint32_t most_slots = 1u << 24;
constexpr std::uint32_t most_ring = 1u << 30;
constexpr std::uint64_t most_arena = std::uint64_t(1) << 40;
constexpr std::size_t page_size = 4096;

/// The start of the page. Head and tail have a cache line each: they are written by different processes.
struct page_header
{
    std::uint64_t magic;
    page_layout layout;
    alignas(64) std::atomic<std::uint64_t> ring_head;
    alignas(64) std::atomic<std::uint64_t> ring_tail;
    std::atomic<std::uint64_t> arena_tail;
    alignas(64) std::atomic<std::uint64_t> resident_size;
    std::atomic<std::uint64_t> arguments_refused;
    std::atomic<std::uint64_t> paused;
    std::atomic<std::uint64_t> on_cpu;
    std::atomic<std::uint64_t> memory_refused;
    report_board reports;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

std::size_t ring_offset(const page_layout& layout) { return sizeof(page_header) + layout.slots * sizeof(chunk_slot); }

/// Of the page alone, where it is mapped.
std::size_t mapped_size(const page_layout& layout) { return ring_offset(layout) + layout.ring_capacity; }

bool is_sound(const page_layout& layout)
{
    return layout.arena_capacity <= most_arena && layout.arena_capacity % page_size == 0 && //
           layout.slots > 0 && layout.slots <= most_slots &&                                //
           layout.ring_capacity <= most_ring && std::has_single_bit(layout.ring_capacity);
}

page_header& header(std::byte* base) { return *std::launder(reinterpret_cast<page_header*>(base)); }

} // namespace

shared_page::shared_page(shared_page&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), layout_(other.layout_)
{}

shared_page& shared_page::operator=(shared_page&& other) noexcept
{
    std::swap(base_, other.base_);
    std::swap(layout_, other.layout_);
    return *this;
}

shared_page::~shared_page()
{
    if (base_)
        unmap_memory(base_, mapped_size(layout_));
}

void shared_page::map(int fd)
{
    base_ = map_shared(fd, 0, mapped_size(layout_), memory_access::read_write);
    if (!base_)
        throw std::system_error(errno, std::system_category(), "mmap of a worker's shared page");
}

std::size_t shared_page::size_of(page_layout layout) noexcept
{
    const std::size_t size = mapped_size(layout);
    return (size + page_size - 1) / page_size * page_size + stack_area::size() + 2 * layout.arena_capacity;
}

shared_page shared_page::create(int fd, page_layout layout)
{
    if (!is_sound(layout))
        throw std::system_error(EINVAL, std::system_category(), "layout of a worker's shared page");
    shared_page page;
    page.layout_ = layout;
    page.map(fd);
    if (!back_with_memory(page.base_, mapped_size(layout)))
        throw std::system_error(ENOMEM, std::system_category(), "memory of a worker's shared page");
    ::new (page.base_) page_header{page_magic, layout, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    return page; // the slots are zero already; touching them would only use up memory
}

page_layout shared_page::layout_of(int fd)
{
    const auto status = status_of(fd);
    if (!status || status->size < sizeof(page_header))
        throw error(errc::protocol_error, "the worker was given no shared page");
    struct
    {
        std::uint64_t magic;
        page_layout layout;
    } start{};
    if (::pread(fd, &start, sizeof start, 0) != sizeof start || start.magic != page_magic || !is_sound(start.layout) ||
        status->size != shared_page::size_of(start.layout))
        throw error(errc::protocol_error, "the worker's shared page is of another version");
    return start.layout;
}

shared_page shared_page::attach(int fd)
{
    shared_page page;
    page.layout_ = layout_of(fd);
    page.map(fd);
    return page;
}

chunk_slot& shared_page::slot(std::uint32_t index) const noexcept
{
    return *std::launder(reinterpret_cast<chunk_slot*>(base_ + sizeof(page_header) + index * sizeof(chunk_slot)));
}

std::atomic<std::uint64_t>& shared_page::ring_head() const noexcept { return header(base_).ring_head; }
std::atomic<std::uint64_t>& shared_page::ring_tail() const noexcept { return header(base_).ring_tail; }

std::atomic<std::uint64_t>& shared_page::resident_size() const noexcept { return header(base_).resident_size; }
std::atomic<std::uint64_t>& shared_page::arguments_refused() const noexcept { return header(base_).arguments_refused; }
std::atomic<std::uint64_t>& shared_page::paused() const noexcept { return header(base_).paused; }
std::atomic<std::uint64_t>& shared_page::on_cpu() const noexcept { return header(base_).on_cpu; }
std::atomic<std::uint64_t>& shared_page::memory_refused() const noexcept { return header(base_).memory_refused; }
report_board& shared_page::reports() const noexcept { return header(base_).reports; }
std::atomic<std::uint64_t>& shared_page::arena_tail() const noexcept { return header(base_).arena_tail; }

std::span<std::byte> shared_page::ring() const noexcept
{
    return {base_ + ring_offset(layout_), layout_.ring_capacity};
}

} // namespace twat::mp::detail
