// SPDX-License-Identifier: BSL-1.0
#include "os/captured_stack.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

namespace twat::mp::detail {
namespace {

struct walk
{
    captured_stack& into;
    std::uint64_t begin_at; ///< Frames before this one are the handler's; 0: none is.
    std::size_t skip;       ///< Frames of this file.
};

_Unwind_Reason_Code on_frame(_Unwind_Context* context, void* to) noexcept
{
    walk& w = *static_cast<walk*>(to);
    int before = 0;
    const std::uint64_t address = _Unwind_GetIPInfo(context, &before);
    if (w.skip != 0) {
        --w.skip;
        return _URC_NO_REASON;
    }
    if (w.begin_at != 0) {
        if (address != w.begin_at)
            return _URC_NO_REASON;
        w.begin_at = 0;
        before = 1;
    }
    if (w.into.frame_count == captured_stack::most_frames) {
        w.into.cut = 1;
        return _URC_END_OF_STACK;
    }
    w.into.frames[w.into.frame_count++] = {address, 0, captured_stack::no_module, before != 0 ? 1u : 0u};
    return _URC_NO_REASON;
}

#if defined(__x86_64__)
std::uint64_t program_counter(const ucontext_t& context) noexcept
{
    return static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
}

/// Makes it look as if the call that led here had returned.
class returned_call
{
public:
    explicit returned_call(ucontext_t& context) noexcept
        : registers_(context.uc_mcontext.gregs), counter_(registers_[REG_RIP]), stack_(registers_[REG_RSP])
    {
        std::memcpy(&registers_[REG_RIP], reinterpret_cast<const void*>(stack_), sizeof counter_);
        registers_[REG_RSP] += 8;
    }
    ~returned_call()
    {
        registers_[REG_RIP] = counter_;
        registers_[REG_RSP] = stack_;
    }

private:
    gregset_t& registers_;
    const greg_t counter_, stack_;
};
#elif defined(__aarch64__)
std::uint64_t program_counter(const ucontext_t& context) noexcept { return context.uc_mcontext.pc; }

class returned_call
{
public:
    explicit returned_call(ucontext_t& context) noexcept : context_(context), before_(context.uc_mcontext.pc)
    {
        context.uc_mcontext.pc = context.uc_mcontext.regs[30];
    }
    ~returned_call() { context_.uc_mcontext.pc = before_; }

private:
    ucontext_t& context_;
    const std::uint64_t before_;
};
#else
#define TWAT_MP_WALK_FROM_HANDLER
#endif

/// A line of /proc/self/maps: "55a0-55b0 r-xp 00002000 08:01 4711      /usr/bin/program".
struct mapping
{
    std::uint64_t begin = 0, end = 0, offset = 0;
    bool accessible = false, executable = false;
    std::string_view path;
};

std::uint64_t take_hexadecimal(std::string_view& text) noexcept
{
    std::uint64_t value = 0;
    while (!text.empty()) {
        const char c = text.front();
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            break;
        value = value * 16 + static_cast<std::uint64_t>(digit);
        text.remove_prefix(1);
    }
    return value;
}

void drop_field(std::string_view& text) noexcept
{
    text.remove_prefix(std::min(text.find(' '), text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

mapping parse_mapping(std::string_view line) noexcept
{
    mapping m;
    m.begin = take_hexadecimal(line);
    line.remove_prefix(std::min<std::size_t>(1, line.size()));
    m.end = take_hexadecimal(line);
    drop_field(line);
    m.executable = line.size() > 2 && line[2] == 'x';
    m.accessible = m.executable || line.starts_with('r');
    drop_field(line);
    m.offset = take_hexadecimal(line);
    drop_field(line);
    drop_field(line); // the device
    drop_field(line); // the inode
    m.path = line;
    return m;
}

/// Calls `see(mapping)` for each mapping of this process, by address, until it returns false. Returns false if they are not known.
template <class F>
bool read_mappings(F&& see) noexcept
{
    const int fd = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    std::array<char, 4608> buffer; // the longest path and what stands before it
    std::size_t filled = 0;
    for (bool more = true; more;) {
        const ssize_t n = ::read(fd, buffer.data() + filled, buffer.size() - filled);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        filled += static_cast<std::size_t>(n);
        std::string_view rest(buffer.data(), filled);
        for (std::size_t end = rest.find('\n'); more && end != rest.npos; end = rest.find('\n')) {
            more = see(parse_mapping(rest.substr(0, end)));
            rest.remove_prefix(end + 1);
        }
        filled = rest.size() == buffer.size() ? 0 : rest.size();
        std::memmove(buffer.data(), rest.data(), filled);
    }
    ::close(fd);
    return true;
}

/// Whether code may stand at an address. Of one that it does not know, the unwinder reads what is there.
bool may_be_code(std::uint64_t address) noexcept
{
    bool found = false;
    const bool known = read_mappings([&](const mapping& m) {
        found = m.accessible && address >= m.begin && address < m.end;
        return !found && m.begin <= address;
    });
    return address != 0 && (found || !known);
}

// Compilers that inline or merge these would make the number of frames to skip wrong.
__attribute__((noinline)) void walk_from_here(captured_stack& into) noexcept
{
    walk w{into, 0, 2};
    _Unwind_Backtrace(on_frame, &w);
}

void walk_from(captured_stack& into, void* context) noexcept
{
#if defined(TWAT_MP_WALK_FROM_HANDLER)
    static_cast<void>(context);
    walk_from_here(into);
#else
    ucontext_t& interrupted = *static_cast<ucontext_t*>(context);
    const std::uint64_t at = program_counter(interrupted);
    const auto frames_from = [&into](std::uint64_t begin) {
        if (!may_be_code(begin))
            return false;
        walk w{into, begin, 0};
        _Unwind_Backtrace(on_frame, &w);
        return w.begin_at == 0;
    };
    if (frames_from(at) && into.frame_count > 1)
        return;
    // Nobody knows how to unwind from there: a call of a null pointer, or of something that is no function. From its caller it goes on.
    into.frames[0] = {at, 0, captured_stack::no_module, 1};
    into.frame_count = 1;
    const returned_call caller(interrupted);
    frames_from(program_counter(interrupted));
    if (into.frame_count > 1)
        into.frames[1].exact = 0;
#endif
}

void add_mapping(captured_stack& to, const mapping& m) noexcept
{
    if (!m.executable || m.path.empty())
        return;
    std::uint32_t index = captured_stack::no_module;
    for (std::uint32_t i = 0; i < to.frame_count; ++i) {
        captured_stack::frame& f = to.frames[i];
        if (f.address < m.begin || f.address >= m.end)
            continue;
        if (index == captured_stack::no_module) {
            if (to.module_count == captured_stack::most_modules || m.path.size() > to.names.size() - to.name_bytes)
                return;
            index = to.module_count++;
            to.modules[index] = {to.name_bytes, static_cast<std::uint32_t>(m.path.size())};
            std::memcpy(to.names.data() + to.name_bytes, m.path.data(), m.path.size());
            to.name_bytes += static_cast<std::uint32_t>(m.path.size());
        }
        f.module = index;
        f.offset = f.address - m.begin + m.offset;
    }
}

void find_modules(captured_stack& of) noexcept
{
    read_mappings([&](const mapping& m) {
        add_mapping(of, m);
        return true;
    });
}

} // namespace

void captured_stack::make_sound() noexcept
{
    frame_count = std::min<std::uint32_t>(frame_count, most_frames);
    module_count = std::min<std::uint32_t>(module_count, most_modules);
    name_bytes = std::min<std::uint32_t>(name_bytes, most_name_bytes);
    for (std::uint32_t i = 0; i < module_count; ++i)
        if (modules[i].begin > name_bytes || modules[i].size > name_bytes - modules[i].begin)
            modules[i] = {0, 0};
    for (std::uint32_t i = 0; i < frame_count; ++i)
        if (frames[i].module >= module_count)
            frames[i].module = no_module;
}

std::string_view captured_stack::module_of(std::size_t index) const noexcept
{
    if (frames[index].module == no_module)
        return {};
    const module& m = modules[frames[index].module];
    return {names.data() + m.begin, m.size};
}

void finish_capture(captured_stack& of) noexcept { find_modules(of); }

void prepare_capture() noexcept
{
    static captured_stack dropped;
    walk_from_here(dropped); // the unwinder sets itself up at its first use
}

__attribute__((noinline)) void capture_stack(captured_stack& into, void* context) noexcept
{
    const int error = errno;
    into.frame_count = into.module_count = into.name_bytes = into.cut = 0;
    into.thread = static_cast<std::uint32_t>(::syscall(SYS_gettid));
    if (context)
        walk_from(into, context);
    else
        walk_from_here(into);
    find_modules(into);
    errno = error;
}

} // namespace twat::mp::detail
