// SPDX-License-Identifier: BSL-1.0
#include "os/own_program.hpp"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <link.h>
#include <sys/stat.h>

namespace twat::mp::detail {
namespace {

constexpr const char* usual = "/proc/self/exe";

bool is_same_file(const std::string& one, const std::string& other)
{
    struct ::stat first
    {
    }, second{};
    return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/// The file that the main program's code was loaded from; empty if it cannot be found.
std::string find_loaded_file()
{
    std::uintptr_t address = 0;
    ::dl_iterate_phdr(
        [](::dl_phdr_info* module, std::size_t, void* to) {
            *static_cast<std::uintptr_t*>(to) = reinterpret_cast<std::uintptr_t>(module->dlpi_phdr);
            return 1; // the first one is the program
        },
        &address);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream in(line);
        std::uintptr_t begin = 0, end = 0;
        char dash = 0;
        in >> std::hex >> begin >> dash >> end;
        if (address < begin || address >= end)
            continue;
        const std::size_t path = line.find('/');
        return path == line.npos ? std::string() : line.substr(path);
    }
    return {};
}

own_program find()
{
    struct ::stat status
    {};
    const std::string file = find_loaded_file();
    if (file.empty() || ::stat(file.c_str(), &status) != 0 || ::stat(usual, &status) != 0 || is_same_file(file, usual))
        return {usual, {}};
    // The linker's own options come before the program.
    std::ifstream command_line("/proc/self/cmdline");
    std::vector<std::string> before;
    std::string argument;
    std::getline(command_line, argument, '\0');
    if (is_same_file(argument, file))
        return {file, {}};
    while (std::getline(command_line, argument, '\0')) {
        if (is_same_file(argument, file)) {
            before.push_back(file);
            return {usual, std::move(before)};
        }
        before.push_back(argument);
    }
    return {file, {}};
}

} // namespace

const own_program& find_own_program()
{
    static const own_program& found = *new own_program(find()); // Launching threads outlive static destructors.
    return found;
}

} // namespace twat::mp::detail
