// SPDX-License-Identifier: BSL-1.0
#include "count.hpp"

#include <twat/mp/worker.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

namespace wordcount {
namespace {

struct close_file
{
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

[[noreturn]] void fail(const std::string& path) { throw std::system_error(errno, std::generic_category(), path); }

bool in_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

} // namespace

word_counts count_file(const std::string& path)
{
    const std::unique_ptr<std::FILE, close_file> file(std::fopen(path.c_str(), "rbe"));
    if (!file)
        fail(path);
    std::error_code ec;
    const auto size = static_cast<double>(std::max<std::uintmax_t>(1, std::filesystem::file_size(path, ec)));
    const std::string name = std::filesystem::path(path).filename();
    word_counts counts;
    std::vector<char> buffer(1 << 16);
    std::string word;
    double done = 0;
    const auto end_word = [&] {
        if (!word.empty())
            ++counts[word];
        word.clear();
    };
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
        for (const char c : std::string_view(buffer.data(), n))
            if (in_word(static_cast<unsigned char>(c)))
                word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            else
                end_word();
        twat::mp::this_task::report((done += static_cast<double>(n)) / size, name);
    }
    if (std::ferror(file.get()))
        fail(path);
    end_word();
    return counts;
}

} // namespace wordcount
