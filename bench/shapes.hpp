// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_SHAPES_HPP
#define TWAT_MP_BENCH_SHAPES_HPP

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "registry.hpp"
#include "statistics.hpp"
#include "tasks.hpp"

/// How the first workloads are measured, whoever does the work.
namespace bench {

/// W1: `call(i)` returns i + 1, over and over. The value is the median.
template <class Call>
measured round_trips(const effort& how, Call call)
{
    const std::int64_t warm = how.of(1000, 100);
    const std::int64_t count = how.of(20000, 2000);
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < warm + count; ++i) {
        std::int64_t result = 0;
        const double time = time_of([&] { result = call(i); });
        if (result != i + 1)
            throw std::runtime_error("a result is wrong");
        if (i >= warm)
            times.push_back(time * 1e6);
    }
    return {quantile(times, 0.5), {{"p99", quantile(times, 0.99)}}};
}

/// As `round_trips`, for a coroutine `call(i)`.
template <class Call>
boost::asio::awaitable<measured> awaited_round_trips(effort how, Call call)
{
    const std::int64_t warm = how.of(1000, 100);
    const std::int64_t count = how.of(20000, 2000);
    std::vector<double> times;
    for (std::int64_t i = 0; i < warm + count; ++i) {
        const auto begin = clock::now();
        const std::int64_t result = co_await call(i);
        const double time = seconds_since(begin);
        if (result != i + 1)
            throw std::runtime_error("a result is wrong");
        if (i >= warm)
            times.push_back(time * 1e6);
    }
    co_return measured{quantile(times, 0.5), {{"p99", quantile(times, 0.99)}}};
}

/// W2: `map(in)` returns, or `map(in, out)` writes, the doubles of `in`. The value is the median time of an item in seconds times `unit`.
template <class Map>
measured doubles(const effort& how, std::size_t count, double unit, Map map)
{
    const auto in = numbers(how.of(count, count / 10));
    const int rounds = how.of(7, 3);
    std::vector<double> times;
    std::vector<std::int64_t> out(in.size());
    for (int i = 0; i <= rounds; ++i) {
        double time = 0;
        if constexpr (std::is_invocable_v<Map&, decltype(in), decltype(out)&>)
            time = time_of([&] { map(in, out); });
        else
            time = time_of([&] { out = map(in); });
        check(in, out, twice);
        if (i > 0) // the first one warms up
            times.push_back(time * unit / static_cast<double>(in.size()));
    }
    return {median(times), {}};
}

/// W3 and W4: `map(in)` returns the results of `task`. The value is the time that one thread takes, over twice the time of `map`.
template <class Map>
measured efficiency(const effort& how, std::size_t count, std::int64_t (*task)(std::int64_t), Map map)
{
    const auto in = numbers(count);
    const int rounds = how.of(5, 2);
    std::vector<double> found;
    double last_serial = 0;
    for (int i = 0; i <= rounds; ++i) {
        std::vector<std::int64_t> alone(in.size());
        const double serial = time_of([&] {
            for (std::size_t k = 0; k < in.size(); ++k)
                alone[k] = task(in[k]);
        });
        std::vector<std::int64_t> out;
        const double parallel = time_of([&] { out = map(in); });
        if (out != alone)
            throw std::runtime_error("a result is wrong");
        if (i > 0)
            found.push_back(serial / (2 * parallel));
        last_serial = serial;
    }
    return {median(found), {{"serial_ms", last_serial * 1e3}}};
}

/// W2-reduce: `sum(in)` returns the sum of the doubles of `in`. The value is the median time of an item in nanoseconds.
template <class Sum>
measured sums(const effort& how, Sum sum)
{
    const auto in = numbers(how.of(std::size_t(1'000'000), std::size_t(100'000)));
    std::int64_t expected = 0;
    for (const std::int64_t x : in)
        expected += twice(x);
    const int rounds = how.of(15, 3);
    std::vector<double> times;
    for (int i = 0; i <= rounds; ++i) {
        std::int64_t result = 0;
        const double time = time_of([&] { result = sum(in); });
        if (result != expected)
            throw std::runtime_error("a sum is wrong");
        if (i > 0) // the first one warms up
            times.push_back(time * 1e9 / static_cast<double>(in.size()));
    }
    return {median(times), {}};
}

} // namespace bench

#endif
