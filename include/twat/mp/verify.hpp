// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_VERIFY_HPP
#define TWAT_MP_VERIFY_HPP

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/inline_pool.hpp>

namespace twat::mp {

namespace detail {

/// The outcome of each task as bytes.
template <class Result>
std::vector<byte_buffer> outcomes_as_bytes(const std::vector<Result>& results)
{
    std::vector<byte_buffer> all;
    for (const Result& result : results) {
        encoder out;
        out.write(result.has_value());
        if (!result)
            out.write(what_of(result.error()));
        else if constexpr (!std::is_void_v<typename Result::value_type>)
            out.write(*result);
        all.push_back(std::move(out.buffer()));
    }
    return all;
}

} // namespace detail

/** Compares what `f` gives for a sample on a pool with what it gives when it is called directly, byte by byte; failures by their text.

    It finds functions that depend on what a worker does not have (globals that `main` has set), on the order or number of calls, on where
    they run, and values whose codec loses something. Each element is computed three times: directly, with everything encoded and
    decoded in this process, and on `pool`.

    @param f Portable, with encodable arguments and results, also for a pool of threads.
    @param sample A forward range.
    @return The position of the first element whose outcomes differ; nothing if all are the same.
    @throws What `try_map` throws: no difference between backends, but a pool that is closed, say.

    @par Example
    @code
    BOOST_TEST(!mp::verify(pool, render, pages));
    @endcode
*/
template <class Pool, class F, class Range>
std::optional<std::size_t> verify(Pool& pool, const F& f, Range&& sample)
{
    static_assert(std::ranges::forward_range<std::remove_reference_t<Range>>,
                  "twat::mp: verify goes through the sample three times: it must be a forward range");
    inline_pool direct;
    inline_process_pool encoded;
    const auto expected = detail::outcomes_as_bytes(direct.try_map(f, sample));
    const auto differs = [&](const std::vector<detail::byte_buffer>& found) -> std::optional<std::size_t> {
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (i >= found.size() || !std::ranges::equal(expected[i].bytes(), found[i].bytes()))
                return i;
        return std::nullopt;
    };
    if (const auto position = differs(detail::outcomes_as_bytes(encoded.try_map(f, sample))))
        return position;
    return differs(detail::outcomes_as_bytes(pool.try_map(f, sample)));
}

} // namespace twat::mp

#endif
