// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FUZZ_TARGETS_HPP
#define TWAT_MP_TEST_FUZZ_TARGETS_HPP

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <span>

namespace twat::mp::fuzz {

// All that reads bytes that another process has written. Whatever they are: no crash, no reading beyond them, no more memory than
// `most_memory`, and no exception but the one that says that they make no sense. (Private to each target; see fuzzer.cpp and replay.cpp.)

using input = std::span<const std::byte>;

void frames(input bytes);     ///< Whatever arrives on a socket, cut into pieces.
void handshake(input bytes);  ///< Hello and its reply.
void chunks(input bytes);     ///< The message with a chunk of tasks.
void records(input bytes);    ///< Outcomes, as they lie in the ring, against the chunks that a worker holds.
void values(input bytes);     ///< Arguments and results.
void exceptions(input bytes); ///< What a task has thrown.
void functions(input bytes);  ///< What names the function to call.
void parcels(input bytes);    ///< A call in a file.

struct target
{
    const char* name;
    void (*run)(input);
};

inline constexpr target targets[] = {{"frames", frames},       {"handshake", handshake}, {"chunks", chunks},
                                     {"records", records},     {"values", values},       {"exceptions", exceptions},
                                     {"functions", functions}, {"parcels", parcels}};

/// What a target may allocate for an input of `size` bytes. An element of a container may be a hundred times as large as the byte that
/// stands for it.
constexpr std::size_t most_memory(std::size_t size) { return (std::size_t(1) << 20) + 1024 * size; }

#define TWAT_MP_FUZZ_EXPECT(...)                                                                                       \
    do {                                                                                                               \
        if (!(__VA_ARGS__)) {                                                                                          \
            std::cerr << __FILE__ << ':' << __LINE__ << ": " << #__VA_ARGS__ << " is not so\n";                        \
            std::abort();                                                                                              \
        }                                                                                                              \
    } while (false)

} // namespace twat::mp::fuzz

#endif
