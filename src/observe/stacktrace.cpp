// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/stacktrace.hpp>

#include <boost/exception/current_exception_cast.hpp>
#include <boost/exception/get_error_info.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <ostream>
#include <utility>

#include "observe/own_frame.hpp"
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

const char* stack_source::how() const
{
    std::lock_guard lock(mutex_);
    return raw().how;
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

std::string hex(std::uintptr_t number)
{
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
    return text;
}

std::string name_of(const stacktrace::frame& frame)
{
    if (frame.function.empty())
        return hex(frame.address);
    return frame.function.substr(0, longest_name) + (frame.function.size() > longest_name ? "..." : "");
}

/// "update.cpp:41" or "program+0x1234"; empty if neither is known.
std::string place_of(const stacktrace::frame& frame)
{
    if (frame.line != 0)
        return frame.file + ':' + std::to_string(frame.line);
    return frame.module.empty() ? std::string() : frame.module + '+' + hex(frame.offset);
}

std::string describe(const stacktrace::frame& frame)
{
    std::string text = name_of(frame);
    if (const std::string place = place_of(frame); !place.empty())
        text += (frame.line != 0 ? " at " : " in ") + place;
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

std::string stacktrace::where() const
{
    const std::vector<frame>& all = frames();
    if (all.empty())
        return note();
    const frame* const own = detail::find_own_frame(all);
    const frame& shown = own ? *own : all.front();
    const std::string place = place_of(shown);
    std::string text = std::string(source_->how()) + ' ' + name_of(shown) + (place.empty() ? "" : " (" + place + ')');
    if (!own && !note().empty()) // an event loop that waits, say: which of its coroutines are suspended tells more
        text += "; " + note();
    return text;
}

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
        std::string text;
        if (!info.value().frames().empty()) {
            text = info.value().where() + '\n';
            text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
        }
        text += "Stack of the worker:\n";
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

std::string where_of(const std::exception_ptr& error)
{
    constexpr int most_nested = 16;
    std::exception_ptr at = error;
    for (int depth = 0; at && depth != most_nested; ++depth)
        try {
            std::rethrow_exception(at);
        }
        catch (...) {
            if (const auto* const carries = boost::current_exception_cast<const boost::exception>())
                if (const stacktrace* const stack = boost::get_error_info<errinfo_stacktrace>(*carries))
                    return stack->where();
            const auto* const nests = boost::current_exception_cast<const std::nested_exception>();
            at = nests ? nests->nested_ptr() : nullptr;
        }
    return {};
}

} // namespace twat::mp
