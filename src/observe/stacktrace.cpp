// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/stacktrace.hpp>

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <utility>

#include "observe/stack_source.hpp"
#include "os/symbols.hpp"

namespace twat::mp {
namespace detail {
namespace {

std::vector<stacktrace::frame> look_up_frames(const captured_stack& stack)
{
    std::vector<code_place> places;
    places.reserve(stack.frame_count);
    for (std::uint32_t i = 0; i < stack.frame_count; ++i)
        places.push_back({std::string(stack.module_of(i)), stack.frames[i].offset, stack.frames[i].exact != 0});
    std::vector<looked_up_place> found = look_up(places);
    std::vector<stacktrace::frame> frames;
    for (std::size_t i = 0; i < places.size(); ++i) {
        stacktrace::frame frame;
        frame.address = static_cast<std::uintptr_t>(stack.frames[i].address);
        frame.module = places[i].file;
        frame.offset = static_cast<std::uintptr_t>(found[i].offset);
        if (found[i].symbols.empty())
            frames.push_back(frame);
        for (code_symbol& symbol : found[i].symbols) {
            frame.function = std::move(symbol.function);
            frame.file = std::move(symbol.file);
            frame.line = symbol.line;
            frame.inlined = symbol.inlined;
            frames.push_back(frame);
        }
    }
    return frames;
}

const std::string no_note;
const std::vector<stacktrace::frame> no_frames;

} // namespace

const raw_stack& stack_source::raw() const
{
    if (fetch_) {
        raw_ = fetch_();
        fetch_ = nullptr;
    }
    return raw_;
}

const std::vector<stacktrace::frame>& stack_source::frames() const
{
    std::lock_guard lock(mutex_);
    if (!looked_up_) {
        if (raw().stack)
            frames_ = look_up_frames(*raw_.stack);
        looked_up_ = true;
    }
    return frames_;
}

const std::string& stack_source::note() const
{
    std::lock_guard lock(mutex_);
    return raw().note;
}

bool stack_source::is_cut() const
{
    std::lock_guard lock(mutex_);
    return raw().stack && raw_.stack->cut != 0;
}

} // namespace detail

namespace {

/// The names of templates can fill pages.
constexpr std::size_t longest_name = 240;

std::string describe(const stacktrace::frame& frame)
{
    char number[32];
    std::string text;
    if (!frame.function.empty()) {
        text = frame.function.substr(0, longest_name);
        if (text.size() < frame.function.size())
            text += "...";
    } else {
        std::snprintf(number, sizeof number, "0x%llx", static_cast<unsigned long long>(frame.address));
        text = number;
    }
    if (frame.line != 0)
        text += " at " + frame.file + ':' + std::to_string(frame.line);
    else if (!frame.module.empty()) {
        std::snprintf(number, sizeof number, "+0x%llx", static_cast<unsigned long long>(frame.offset));
        text += " in " + frame.module + number;
    }
    if (frame.inlined)
        text += " (inlined)";
    return text;
}

bool is_same(const stacktrace::frame& a, const stacktrace::frame& b)
{
    return a.address == b.address && a.function == b.function && a.line == b.line;
}

} // namespace

const std::vector<stacktrace::frame>& stacktrace::frames() const
{
    return source_ ? source_->frames() : detail::no_frames;
}

const std::string& stacktrace::note() const { return source_ ? source_->note() : detail::no_note; }

std::string stacktrace::to_string() const
{
    std::string text;
    if (!source_)
        return text;
    if (const std::string& known = note(); !known.empty())
        text += known + '\n';
    const std::vector<frame>& all = frames();
    char number[32];
    for (std::size_t i = 0; i < all.size();) {
        const std::size_t begin = i;
        do
            ++i;
        while (i < all.size() && is_same(all[i], all[begin]));
        std::snprintf(number, sizeof number, "#%-3zu ", begin);
        text += number + describe(all[begin]) + '\n';
        if (i - begin > 1)
            text += "     and " + std::to_string(i - begin - 1) + " times more\n";
    }
    if (source_->is_cut())
        text += "     and more, which are not recorded\n";
    return text;
}

std::ostream& operator<<(std::ostream& to, const stacktrace& stack) { return to << stack.to_string(); }

std::string to_string(const errinfo_stacktrace& info)
{
    try {
        std::string text = "Stack of the worker:\n";
        const std::string lines = info.value().to_string();
        for (std::size_t begin = 0; begin < lines.size();) {
            const std::size_t end = std::min(lines.find('\n', begin), lines.size());
            text += "  " + lines.substr(begin, end - begin) + '\n';
            begin = end + 1;
        }
        return text;
    }
    catch (const std::bad_alloc&) {
        return {};
    }
}

} // namespace twat::mp
