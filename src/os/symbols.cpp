// SPDX-License-Identifier: BSL-1.0
// Why libdw: it is what perf, systemd-coredump and the kernel's tools use, reads DWARF 5, split and compressed debug information, and finds
// that of distributions by build id. Boost.Stacktrace's backends look up addresses of the calling process alone. It is loaded with dlopen, as
// systemd does: five libraries more would make each start of a worker slower, for what most never need.
#include "os/symbols.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "os/descriptor.hpp"

#if !defined(TWAT_MP_NO_LIBDW) && __has_include(<elfutils/libdwfl.h>)
#define TWAT_MP_LIBDW
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#endif

namespace twat::mp::detail {
namespace {

/// The program's headers say where in memory what part of the file lies.
class program_headers
{
public:
    explicit program_headers(int fd)
    {
        ElfW(Ehdr) header{};
        if (::pread(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) ||
            std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr)))
            return;
        headers_.resize(header.e_phnum);
        const std::size_t size = headers_.size() * sizeof(ElfW(Phdr));
        if (::pread(fd, headers_.data(), size, static_cast<off_t>(header.e_phoff)) != static_cast<ssize_t>(size))
            headers_.clear();
    }

    explicit operator bool() const noexcept { return !headers_.empty(); }

    std::uint64_t address_of(std::uint64_t offset) const noexcept
    {
        for (const ElfW(Phdr) & h : headers_)
            if (h.p_type == PT_LOAD && (h.p_flags & PF_X) != 0 && offset >= h.p_offset &&
                offset - h.p_offset < h.p_filesz)
                return offset - h.p_offset + h.p_vaddr;
        return offset;
    }

private:
    std::vector<ElfW(Phdr)> headers_;
};

#if defined(TWAT_MP_LIBDW)

std::string demangled(const char* name)
{
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 && text ? text.get() : name;
}

/// The functions of libdw that are used here.
struct libdw
{
    decltype(&::dwfl_begin) begin;
    decltype(&::dwfl_end) end;
    decltype(&::dwfl_report_elf) report_elf;
    decltype(&::dwfl_report_end) report_end;
    decltype(&::dwfl_offline_section_address) section_address;
    decltype(&::dwfl_standard_find_debuginfo) find_debuginfo;
    decltype(&::dwfl_module_addrname) address_name;
    decltype(&::dwfl_module_addrdie) address_unit;
    decltype(&::dwfl_module_nextcu) next_unit;
    decltype(&::dwarf_haspc) has_address;
    decltype(&::dwarf_getsrc_die) line_at;
    decltype(&::dwarf_linesrc) file_of_line;
    decltype(&::dwarf_lineno) number_of_line;
    decltype(&::dwarf_getscopes) scopes_at;
    decltype(&::dwarf_getscopes_die) scopes_of;
    decltype(&::dwarf_tag) tag;
    decltype(&::dwarf_diename) name;
    decltype(&::dwarf_attr_integrate) attribute;
    decltype(&::dwarf_formstring) as_text;
    decltype(&::dwarf_formudata) as_number;
    decltype(&::dwarf_getsrcfiles) files_of;
    decltype(&::dwarf_filesrc) file_name;

    /// Null if it cannot be loaded.
    static const libdw* get() noexcept
    {
        static const libdw* const loaded = load();
        return loaded;
    }

private:
    template <class F>
    static bool take(void* library, const char* name, F& to) noexcept
    {
        to = reinterpret_cast<F>(::dlsym(library, name));
        return to != nullptr;
    }

    static const libdw* load() noexcept
    {
        void* const library = ::dlopen("libdw.so.1", RTLD_LAZY | RTLD_LOCAL);
        if (!library)
            return nullptr;
        static libdw d;
        const bool complete =
            take(library, "dwfl_begin", d.begin) && take(library, "dwfl_end", d.end) &&
            take(library, "dwfl_report_elf", d.report_elf) && take(library, "dwfl_report_end", d.report_end) &&
            take(library, "dwfl_offline_section_address", d.section_address) &&
            take(library, "dwfl_standard_find_debuginfo", d.find_debuginfo) &&
            take(library, "dwfl_module_addrname", d.address_name) &&
            take(library, "dwfl_module_addrdie", d.address_unit) && take(library, "dwfl_module_nextcu", d.next_unit) &&
            take(library, "dwarf_haspc", d.has_address) && take(library, "dwarf_getsrc_die", d.line_at) &&
            take(library, "dwarf_linesrc", d.file_of_line) && take(library, "dwarf_lineno", d.number_of_line) &&
            take(library, "dwarf_getscopes", d.scopes_at) && take(library, "dwarf_getscopes_die", d.scopes_of) &&
            take(library, "dwarf_tag", d.tag) && take(library, "dwarf_diename", d.name) &&
            take(library, "dwarf_attr_integrate", d.attribute) && take(library, "dwarf_formstring", d.as_text) &&
            take(library, "dwarf_formudata", d.as_number) && take(library, "dwarf_getsrcfiles", d.files_of) &&
            take(library, "dwarf_filesrc", d.file_name);
        return complete ? &d : nullptr;
    }
};

/// One file and its debug information.
class debug_file
{
public:
    /// @param fd Stays the caller's.
    debug_file(const libdw& d, const std::string& path, int fd) : d_(d)
    {
        callbacks_.section_address = d.section_address;
        callbacks_.find_debuginfo = d.find_debuginfo;
        session_ = d.begin(&callbacks_);
        if (!session_)
            return;
        const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
        module_ = d.report_elf(session_, path.c_str(), path.c_str(), own, 0, true);
        if (!module_ && own >= 0)
            ::close(own);
        d.report_end(session_, nullptr, nullptr);
    }
    debug_file(const debug_file&) = delete;
    debug_file& operator=(const debug_file&) = delete;
    ~debug_file()
    {
        if (session_)
            d_.end(session_);
    }

    std::vector<code_symbol> look_up(std::uint64_t address)
    {
        std::vector<code_symbol> found;
        if (!module_)
            return found;
        Dwarf_Addr bias = 0;
        Dwarf_Die* const unit = unit_of(address, bias);
        code_symbol here;
        if (unit) {
            here = line_of(*unit, address - bias);
            add_inlined(*unit, address - bias, here, found);
        }
        if (const char* const name = d_.address_name(module_, address))
            here.function = demangled(name);
        if (!here.function.empty() || here.line != 0)
            found.push_back(std::move(here));
        return found;
    }

private:
    // Not all compilers write the table of addresses by which units are found at once.
    Dwarf_Die* unit_of(std::uint64_t address, Dwarf_Addr& bias)
    {
        if (Dwarf_Die* const unit = d_.address_unit(module_, address, &bias))
            return unit;
        for (Dwarf_Die* unit = nullptr; (unit = d_.next_unit(module_, unit, &bias)) != nullptr;)
            if (d_.has_address(unit, address - bias) == 1)
                return unit;
        return nullptr;
    }

    code_symbol line_of(Dwarf_Die& unit, Dwarf_Addr address) const
    {
        code_symbol found;
        if (Dwarf_Line* const line = d_.line_at(&unit, address)) {
            int number = 0;
            if (const char* const file = d_.file_of_line(line, nullptr, nullptr))
                found.file = file;
            if (d_.number_of_line(line, &number) == 0 && number > 0)
                found.line = static_cast<unsigned>(number);
        }
        return found;
    }

    // Leaves in `here` the function that is none of these.
    void add_inlined(Dwarf_Die& unit, Dwarf_Addr address, code_symbol& here, std::vector<code_symbol>& to) const
    {
        Dwarf_Die* found = nullptr;
        const int count = d_.scopes_at(&unit, address, &found);
        const std::unique_ptr<Dwarf_Die, decltype(&std::free)> at(found, &std::free);
        if (count <= 0)
            return;
        Dwarf_Die* around = nullptr;
        const int depth = d_.scopes_of(found, &around);
        const std::unique_ptr<Dwarf_Die, decltype(&std::free)> scopes(around, &std::free);
        for (int i = 0; i < depth; ++i) {
            Dwarf_Die& scope = around[i];
            const int tag = d_.tag(&scope);
            if (tag == DW_TAG_subprogram) {
                here.function = name_of(scope);
                return;
            }
            if (tag != DW_TAG_inlined_subroutine)
                continue;
            here.function = name_of(scope);
            here.inlined = true;
            to.push_back(std::exchange(here, call_of(unit, scope)));
        }
    }

    std::string name_of(Dwarf_Die& function) const
    {
        for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
            Dwarf_Attribute found;
            if (d_.attribute(&function, attribute, &found))
                if (const char* const text = d_.as_text(&found))
                    return demangled(text);
        }
        const char* const name = d_.name(&function);
        return name ? name : "";
    }

    /// From where it was called.
    code_symbol call_of(Dwarf_Die& unit, Dwarf_Die& inlined) const
    {
        code_symbol call;
        Dwarf_Files* files = nullptr;
        std::size_t count = 0;
        const Dwarf_Word file = number_of(inlined, DW_AT_call_file);
        if (d_.files_of(&unit, &files, &count) == 0 && file < count)
            if (const char* const name = d_.file_name(files, file, nullptr, nullptr))
                call.file = name;
        call.line = static_cast<unsigned>(number_of(inlined, DW_AT_call_line));
        return call;
    }

    Dwarf_Word number_of(Dwarf_Die& die, unsigned attribute) const
    {
        Dwarf_Attribute found;
        Dwarf_Word number = 0;
        if (d_.attribute(&die, attribute, &found))
            d_.as_number(&found, &number);
        return number;
    }

    const libdw& d_;
    Dwfl_Callbacks callbacks_{};
    Dwfl* session_ = nullptr;
    Dwfl_Module* module_ = nullptr;
};

std::mutex& libdw_mutex()
{
    static std::mutex& mutex = *new std::mutex; // never destroyed: exceptions are shown while globals are
    return mutex;
}

#endif

/// A file that was replaced since it was loaded is another one.
unique_descriptor open_module(const std::string& path)
{
    char own[4096];
    const ssize_t n = ::readlink("/proc/self/exe", own, sizeof own);
    const bool is_own = n > 0 && std::string_view(own, static_cast<std::size_t>(n)) == path;
    return unique_descriptor(::open(is_own ? "/proc/self/exe" : path.c_str(), O_RDONLY | O_CLOEXEC));
}

} // namespace

bool can_look_up() noexcept
{
#if defined(TWAT_MP_LIBDW)
    return libdw::get() != nullptr;
#else
    return false;
#endif
}

std::vector<looked_up_place> look_up(std::span<const code_place> places)
{
    std::vector<looked_up_place> found(places.size());
    std::map<std::string_view, std::vector<std::size_t>> by_file;
    for (std::size_t i = 0; i < places.size(); ++i) {
        found[i].offset = places[i].offset;
        if (places[i].file.starts_with('/'))
            by_file[places[i].file].push_back(i);
    }
    for (const auto& [name, indices] : by_file) {
        const std::string path(name);
        const unique_descriptor file = open_module(path);
        const program_headers headers(file.get());
        if (!headers)
            continue;
#if defined(TWAT_MP_LIBDW)
        const libdw* const d = libdw::get();
        std::unique_lock lock(libdw_mutex(), std::defer_lock);
        std::optional<debug_file> debug;
        if (d) {
            lock.lock();
            debug.emplace(*d, path, file.get());
        }
#endif
        for (const std::size_t i : indices) {
            found[i].offset = headers.address_of(places[i].offset);
#if defined(TWAT_MP_LIBDW)
            if (debug)
                found[i].symbols = debug->look_up(found[i].offset - (places[i].exact ? 0 : 1));
#endif
        }
    }
    return found;
}

} // namespace twat::mp::detail
