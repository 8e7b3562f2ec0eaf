// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_FRAME_STREAM_HPP
#define TWAT_MP_BENCH_FRAME_STREAM_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "child.hpp"

namespace bench {

/** The floor for many calls: frames over one socket a worker, many on their way at once.

    One thread in the parent, non-blocking sockets and poll; workers block in read. Frames that are ready together share one write.
    There is no error handling, no types, no order to restore: what a pool adds to this is its own cost.
*/
class frame_stream
{
public:
    /// What a worker does to the bytes of a frame, in place.
    using function = std::function<void(char* data, std::size_t size)>;

    frame_stream(std::size_t workers, function run);
    ~frame_stream();
    frame_stream(const frame_stream&) = delete;
    frame_stream& operator=(const frame_stream&) = delete;

    /** Sends `count` frames, at most `window` of them on their way to one worker, and waits for all to come back.

        @param source Appends the content of frame `id` to the buffer.
        @param sink Takes the content that came back.
    */
    void map(std::uint32_t count, std::uint32_t window,
             const std::function<void(std::uint32_t id, std::vector<char>& out)>& source,
             const std::function<void(std::uint32_t id, const char* data, std::size_t size)>& sink);

private:
    struct worker;

    std::vector<worker> workers_;
};

/// A map of whole numbers over a `frame_stream`, `chunk` of them in a frame.
void map_integers(frame_stream& stream, const std::vector<std::int64_t>& in, std::vector<std::int64_t>& out,
                  std::size_t chunk, std::uint32_t window);

/// A function for frames of whole numbers.
frame_stream::function for_each_integer(std::int64_t (*f)(std::int64_t));

} // namespace bench

#endif
