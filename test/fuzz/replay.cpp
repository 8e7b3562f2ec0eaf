// SPDX-License-Identifier: BSL-1.0
// Runs a target on every file of a folder, without a fuzzer, and watches what it allocates.
//
//   test_fuzz TARGET FOLDER
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>

#include "targets.hpp"

namespace {

std::size_t live = 0, peak = 0; // of this one thread

void* allocate(std::size_t n)
{
    void* const at = std::malloc(n);
    if (at)
        peak = std::max(peak, live += ::malloc_usable_size(at));
    return at;
}

void give_back(void* at) noexcept
{
    if (at)
        live -= ::malloc_usable_size(at);
    std::free(at);
}

} // namespace

void* operator new(std::size_t n)
{
    if (void* const at = allocate(n))
        return at;
    throw std::bad_alloc();
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new[](std::size_t n) { return operator new(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void operator delete(void* at) noexcept { give_back(at); }
void operator delete(void* at, std::size_t) noexcept { give_back(at); }
void operator delete(void* at, const std::nothrow_t&) noexcept { give_back(at); }
void operator delete[](void* at) noexcept { give_back(at); }
void operator delete[](void* at, std::size_t) noexcept { give_back(at); }
void operator delete[](void* at, const std::nothrow_t&) noexcept { give_back(at); }

int main(int argc, char** argv)
{
    using namespace twat::mp::fuzz;
    const auto* const found =
        argc == 3 ? std::ranges::find(targets, std::string_view(argv[1]), &target::name) : std::end(targets);
    if (found == std::end(targets))
        return 2;
    int inputs = 0, broken = 0;
    for (const auto& file : std::filesystem::directory_iterator(argv[2])) {
        std::ifstream in(file.path(), std::ios::binary);
        const std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
        const std::size_t before = peak = live;
        found->run(std::as_bytes(std::span(bytes)));
        if (peak - before > most_memory(bytes.size())) {
            std::fprintf(stderr, "%s takes %zu bytes for %zu\n", file.path().c_str(), peak - before, bytes.size());
            ++broken;
        }
        if (live != before && inputs != 0) { // the first one may leave something that is made once
            std::fprintf(stderr, "%s leaves %zu bytes behind\n", file.path().c_str(), live - before);
        }
        ++inputs;
    }
    std::printf("%d inputs\n", inputs);
    return inputs != 0 && broken == 0 ? 0 : 1;
}
