// SPDX-License-Identifier: BSL-1.0
#include "observe/progress_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace twat::mp::detail {
namespace {

using seconds = std::chrono::duration<double>;

constexpr duration redraw_after = std::chrono::milliseconds(100);
constexpr duration plain_line_after = std::chrono::seconds(5);
constexpr std::size_t widest_bar = 60;
constexpr std::size_t narrowest_bar = 5;

template <class... Args>
std::string format(const char* text, Args... args)
{
    std::array<char, 64> buffer;
    std::snprintf(buffer.data(), buffer.size(), text, args...);
    return buffer.data();
}

std::string clock_text(double span)
{
    const auto all = static_cast<unsigned long long>(std::clamp(span, 0.0, 3.6e9));
    if (all >= 3600)
        return format("%llu:%02llu:%02llu", all / 3600, all / 60 % 60, all % 60);
    return format("%02llu:%02llu", all / 60, all % 60);
}

std::string rate_text(double rate)
{
    if (rate < 10)
        return format("%.2f/s", rate);
    if (rate < 1e3)
        return format("%.1f/s", rate);
    if (rate < 1e6)
        return format("%.1fk/s", rate / 1e3);
    return format("%.1fM/s", rate / 1e6);
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t columns(std::string_view text)
{
    return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

std::string_view first_columns(std::string_view text, std::size_t count)
{
    std::size_t end = 0;
    for (; end < text.size(); ++end)
        if (!continues_character(text[end]) && count-- == 0)
            break;
    return text.substr(0, end);
}

std::string bar(double part, std::size_t width, bool unicode)
{
    static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    std::string drawn;
    const auto full = static_cast<std::size_t>(part * static_cast<double>(width * 8));
    std::size_t used = full / 8;
    for (std::size_t i = 0; i < used; ++i)
        drawn += unicode ? "█" : "#";
    if (unicode && full % 8 != 0) {
        drawn += eighths[full % 8];
        ++used;
    }
    return drawn.append(width - used, ' ');
}

/// What a task said, on one line whatever it said.
std::string report_text(const progress& now)
{
    if (!now.task)
        return {};
    std::string shown = "#" + std::to_string(*now.task) + " " + format("%.0f%%", now.fraction * 100);
    for (const char c : now.text.empty() ? std::string() : " " + now.text)
        shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    return shown;
}

std::string failures(const progress& now)
{
    return now.failed == 0 ? "" : ", " + std::to_string(now.failed) + " failed";
}

} // namespace

std::string progress_line(std::string_view label, const progress& now, const progress_style& style)
{
    const double elapsed = seconds(now.elapsed).count();
    const double rate = elapsed > 0 ? static_cast<double>(now.done) / elapsed : 0;
    const std::string rate_shown = rate > 0 ? rate_text(rate) : "?/s";
    const std::string done = std::to_string(now.done);
    const std::size_t total = now.total.value_or(0);
    const double part = total == 0 ? 1.0 : std::min(1.0, static_cast<double>(now.done) / static_cast<double>(total));
    const std::string percent = format("%3.0f%%", std::min(part * 100, now.done < total ? 99.0 : 100.0));
    const double left = rate > 0 && now.done < total ? static_cast<double>(total - now.done) / rate : 0;
    const bool left_known = rate > 0 || now.done >= total;

    if (!style.terminal) {
        std::string line(label);
        line += label.empty() ? "" : ": ";
        line += done;
        if (now.total)
            line += " of " + std::to_string(total) + " (" + percent.substr(percent.find_first_not_of(' ')) + ")";
        line += failures(now) + ", " + clock_text(elapsed) + " elapsed, " + rate_shown;
        if (now.total && now.done < total && left_known)
            line += ", " + clock_text(left) + " left";
        if (now.task)
            line += ", " + report_text(now);
        return line;
    }

    // One column stays free: in the last one some terminals begin a new line.
    const std::size_t most = style.width > 1 ? style.width - 1 : 1;
    std::string head(label);
    head += label.empty() ? "" : " ";
    std::string tail;
    if (now.total) {
        head += percent + " ";
        tail = " " + done + "/" + std::to_string(total) + " [" + clock_text(elapsed) + "<" +
               (left_known ? clock_text(left) : "?") + ", " + rate_shown + failures(now) + "]";
    } else {
        tail = done + " [" + clock_text(elapsed) + ", " + rate_shown + failures(now) + "]";
    }
    if (now.task)
        tail += " " + report_text(now);
    const std::size_t taken = columns(head) + columns(tail) + 2;
    std::string line = head;
    if (now.total && taken + narrowest_bar <= most)
        line += "|" + bar(part, std::min(widest_bar, most - taken), style.unicode) + "|";
    line += tail;
    return std::string(first_columns(line, most));
}

std::string progress_writer::step(const progress& now, const progress_style& style)
{
    std::string written;
    if (now.elapsed < seen_) { // another operation
        written = finish();
        drawn_ = over_ = false;
        task_.reset();
    }
    if (now.task) {
        task_ = now.task;
        fraction_ = now.fraction;
        text_ = now.text;
    }
    seen_ = now.elapsed;
    const bool last = now.total && now.done >= *now.total;
    if (over_)
        return written;
    const bool due = style.terminal ? !drawn_ || now.elapsed - last_ >= redraw_after
                                    : now.elapsed - (drawn_ ? last_ : duration::zero()) >= plain_line_after;
    if (!due && !last)
        return written;
    progress shown = now;
    shown.task = last ? std::nullopt : task_;
    shown.fraction = fraction_;
    shown.text = text_;
    const std::string line = progress_line(label_, shown, style);
    written += style.terminal ? "\r" + line + "\x1b[K" + (last ? "\n" : "") : line + "\n";
    drawn_ = true;
    open_ = style.terminal && !last;
    over_ = last;
    last_ = now.elapsed;
    return written;
}

std::string progress_writer::finish() { return std::exchange(open_, false) ? "\n" : ""; }

} // namespace twat::mp::detail
