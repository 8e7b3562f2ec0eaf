// SPDX-License-Identifier: BSL-1.0
#include "function/module.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <errno.h>
#include <exception>
#include <link.h>

namespace twat::mp::detail {
namespace {

/// How often modules were loaded and unloaded; unchanged as long as the list of modules is.
struct load_counters
{
    unsigned long long adds = 0, subs = 0;
    bool operator==(const load_counters&) const = default;
};

struct note_header
{
    ElfW(Word) name_size, description_size, type;
};

/// The build id among the notes in [at, end); empty if there is none. Nothing outside is read, whatever the notes say.
module_id build_id_in_notes(const char* at, const char* end, std::size_t alignment)
{
    const auto padded = [alignment](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
    while (static_cast<std::size_t>(end - at) >= sizeof(note_header)) {
        note_header header;
        std::memcpy(&header, at, sizeof header);
        at += sizeof header;
        const std::size_t left = static_cast<std::size_t>(end - at);
        if (header.name_size > left || padded(header.name_size) > left ||
            header.description_size > left - padded(header.name_size))
            break;
        const char* description = at + padded(header.name_size);
        if (header.type == NT_GNU_BUILD_ID && header.name_size == 4 && std::memcmp(at, "GNU", 4) == 0 &&
            header.description_size > 0 && header.description_size <= max_module_id)
            return {description, header.description_size};
        const std::size_t rest = static_cast<std::size_t>(end - description);
        at = description + std::min(rest, padded(header.description_size));
    }
    return {};
}

std::shared_ptr<const loaded_module> describe(const dl_phdr_info& info, bool main)
{
    std::vector<loaded_module::segment> segments;
    for (const auto* header = info.dlpi_phdr; header != info.dlpi_phdr + info.dlpi_phnum; ++header) {
        if (header->p_type != PT_LOAD || header->p_memsz == 0)
            continue;
        const std::uintptr_t begin = info.dlpi_addr + header->p_vaddr;
        segments.push_back({begin, begin + header->p_filesz, begin + header->p_memsz, (header->p_flags & PF_R) != 0,
                            (header->p_flags & PF_W) != 0, (header->p_flags & PF_X) != 0});
    }
    std::string path = info.dlpi_name ? info.dlpi_name : "";
    if (path.empty() && main)
        path = program_invocation_name ? program_invocation_name : "";

    module_id id;
    for (const auto* header = info.dlpi_phdr; header != info.dlpi_phdr + info.dlpi_phnum && id.empty(); ++header) {
        if (header->p_type != PT_NOTE)
            continue;
        const std::uintptr_t begin = info.dlpi_addr + header->p_vaddr;
        const bool loaded = std::any_of(segments.begin(), segments.end(), [&](const auto& s) {
            return s.readable && s.begin <= begin && begin <= s.end && header->p_filesz <= s.end - begin;
        });
        if (loaded)
            id = build_id_in_notes(reinterpret_cast<const char*>(begin),
                                   reinterpret_cast<const char*>(begin) + header->p_filesz,
                                   header->p_align == 8 ? 8 : 4);
    }
    return std::make_shared<loaded_module>(info.dlpi_addr, std::move(path), std::move(segments), std::move(id));
}

load_counters counters()
{
    load_counters now;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* to) {
            *static_cast<load_counters*>(to) = {info->dlpi_adds, info->dlpi_subs};
            return 1;
        },
        &now);
    return now;
}

struct snapshot
{
    load_counters counters;
    std::shared_ptr<module_list> modules = std::make_shared<module_list>();
    std::exception_ptr error;
};

/// One pass over the loader's list, which stands still meanwhile.
snapshot read_modules()
{
    snapshot now;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* to) {
            auto& into = *static_cast<snapshot*>(to);
            try {
                into.counters = {info->dlpi_adds, info->dlpi_subs};
                into.modules->push_back(describe(*info, into.modules->empty()));
                return 0;
            }
            catch (...) { // must not pass through the loader
                into.error = std::current_exception();
                return 1;
            }
        },
        &now);
    if (now.error)
        std::rethrow_exception(now.error);
    return now;
}

// Reads what the compiler did not lay out as one object: between the sanitizer's red zones, for one.
__attribute__((no_sanitize("address"))) __attribute__((no_sanitize("thread"))) std::uint64_t
hash_bytes(std::uintptr_t begin, std::uintptr_t end, std::uint64_t hash) noexcept
{
    const auto mix = [](std::uint64_t seed, std::uint64_t word) {
        seed = (seed ^ word) * 0x9e37'79b9'7f4a'7c15u;
        return seed ^ (seed >> 29);
    };
    for (; begin < end && begin % sizeof(std::uint64_t) != 0; ++begin)
        hash = mix(hash, *reinterpret_cast<const unsigned char*>(begin));
    for (; end - begin >= sizeof(std::uint64_t) && begin < end; begin += sizeof(std::uint64_t)) {
        using word __attribute__((may_alias)) = std::uint64_t;
        hash = mix(hash, *reinterpret_cast<const word*>(begin));
    }
    for (; begin < end; ++begin)
        hash = mix(hash, *reinterpret_cast<const unsigned char*>(begin));
    return hash;
}

module_id hash_of(const loaded_module& module)
{
    std::uint64_t halves[2] = {1, 2};
    for (auto& half : halves) {
        for (const auto& s : module.segments()) {
            // Where it lies in the file, how long it is, and what it says if it says the same in every process.
            const std::uintptr_t layout[] = {s.begin - module.base(), s.end - s.begin, s.memory_end - s.begin};
            const auto at = reinterpret_cast<std::uintptr_t>(layout);
            half = hash_bytes(at, at + sizeof layout, half);
            if (s.readable && !s.writable)
                half = hash_bytes(s.begin, s.end, half);
        }
    }
    module_id id = "read-only:";
    id.append(reinterpret_cast<const char*>(halves), sizeof halves);
    return id;
}

} // namespace

std::string_view loaded_module::name() const noexcept
{
    const std::string_view path = path_;
    return path.substr(path.rfind('/') + 1);
}

const loaded_module::segment* loaded_module::find_segment(std::uintptr_t address, std::size_t size) const noexcept
{
    for (const auto& s : segments_)
        if (s.begin <= address && address < s.memory_end && size <= s.memory_end - address)
            return &s;
    return nullptr;
}

const module_id& loaded_module::id() const
{
    if (!has_build_id_)
        std::call_once(hashed_, [this] { id_ = hash_of(*this); });
    return id_;
}

std::shared_ptr<const module_list> loaded_modules()
{
    // Never destroyed: functions are sent while the program's globals are destroyed, too.
    struct cache
    {
        std::mutex mutex;
        load_counters counters;
        std::shared_ptr<const module_list> modules;
    };
    static cache& known = *new cache;

    // The loader is never asked while the mutex is held: it may hold locks of its own while it runs constructors.
    const load_counters now = counters();
    {
        std::lock_guard lock(known.mutex);
        if (known.modules && known.counters == now)
            return known.modules;
    }
    auto fresh = read_modules();
    // The main program stays where it is, and it may have been expensive to hash.
    std::lock_guard lock(known.mutex);
    if (known.modules && !known.modules->empty() && !fresh.modules->empty())
        fresh.modules->front() = known.modules->front();
    known.counters = fresh.counters;
    known.modules = fresh.modules;
    return known.modules;
}

std::shared_ptr<const loaded_module> module_of(const void* address)
{
    const auto modules = loaded_modules();
    for (const auto& module : *modules)
        if (module->find_segment(reinterpret_cast<std::uintptr_t>(address), 1))
            return module;
    return nullptr;
}

std::shared_ptr<const loaded_module> find_module(std::string_view id)
{
    const auto modules = loaded_modules();
    for (const auto& module : *modules)
        if (module->has_build_id() && module->id() == id)
            return module;
    if (id.substr(0, 10) == "read-only:")
        for (const auto& module : *modules)
            if (!module->has_build_id() && module->id() == id)
                return module;
    return nullptr;
}

const module_id& build_id()
{
    static const module_id& id = *new module_id(loaded_modules()->front()->id());
    return id;
}

std::string to_hex(std::string_view id)
{
    std::string text;
    for (const unsigned char byte : id) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

} // namespace twat::mp::detail
