// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/progress_bar.hpp>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>

#include "observe/progress_line.hpp"
#include "os/terminal.hpp"

namespace twat::mp {
namespace {

// By the environment: a program that never calls setlocale is in the "C" locale whatever its terminal shows.
bool environment_is_utf8()
{
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
        if (const char* value = std::getenv(name); value && *value) {
            std::string upper(value);
            std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
            return upper.find("UTF-8") != std::string::npos || upper.find("UTF8") != std::string::npos;
        }
    return false;
}

bool is_able_terminal(int descriptor)
{
    const char* kind = std::getenv("TERM");
    return descriptor >= 0 && detail::is_terminal(descriptor) && !(kind && std::string_view(kind) == "dumb");
}

int descriptor_of(const std::ostream& out)
{
    if (&out == &std::cout)
        return STDOUT_FILENO;
    return &out == &std::cerr || &out == &std::clog ? STDERR_FILENO : -1;
}

} // namespace

struct progress_bar::implementation
{
    implementation(std::string label, std::FILE* to_file, std::ostream* to_stream, int fd)
        : writer(std::move(label)), file(to_file), stream(to_stream), descriptor(fd)
    {
        style.terminal = is_able_terminal(descriptor);
        style.unicode = environment_is_utf8();
    }
    ~implementation()
    {
        try {
            write(writer.finish());
        }
        catch (...) {
            // A stream may throw; nobody is there to be told.
        }
    }

    void step(const progress& now)
    {
        if (style.terminal) {
            const int width = detail::terminal_width(descriptor);
            style.width = width != 0 ? static_cast<std::size_t>(width) : 80;
        }
        write(writer.step(now, style));
    }

    void write(const std::string& text)
    {
        if (text.empty())
            return;
        if (file) {
            std::fwrite(text.data(), 1, text.size(), file);
            std::fflush(file);
        } else {
            *stream << text << std::flush;
        }
    }

    detail::progress_writer writer;
    detail::progress_style style;
    std::FILE* const file;
    std::ostream* const stream;
    const int descriptor;
};

progress_bar::progress_bar(std::string label, std::FILE* out)
    : implementation_(std::make_unique<implementation>(std::move(label), out, nullptr, ::fileno(out)))
{}

progress_bar::progress_bar(std::string label, std::ostream& out)
    : implementation_(std::make_unique<implementation>(std::move(label), nullptr, &out, descriptor_of(out)))
{}

progress_bar::progress_bar(progress_bar&&) noexcept = default;
progress_bar& progress_bar::operator=(progress_bar&&) noexcept = default;
progress_bar::~progress_bar() = default;

void progress_bar::operator()(const progress& now)
{
    if (implementation_)
        implementation_->step(now);
}

} // namespace twat::mp
