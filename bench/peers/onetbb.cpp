// SPDX-License-Identifier: BSL-1.0
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>

#include "peers.hpp"
#include "shapes.hpp"

namespace bench {

namespace tbb = oneapi::tbb;

namespace {

using integers = std::vector<std::int64_t>;
using function = std::int64_t (*)(std::int64_t);

/// Of all threads that work, the caller is one.
struct two_threads
{
    tbb::global_control limit{tbb::global_control::max_allowed_parallelism, 2};
};

/// @tparam Partitioner How the range is cut: `auto_partitioner` as it thinks best, `simple_partitioner` to single elements.
template <class Partitioner>
integers parallel_for(const integers& in, function f)
{
    integers out(in.size());
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, in.size()),
        [&](const tbb::blocked_range<std::size_t>& part) {
            for (std::size_t i = part.begin(); i != part.end(); ++i)
                out[i] = f(in[i]);
        },
        Partitioner());
    return out;
}

integers task_group(const integers& in, function f)
{
    integers out(in.size());
    tbb::task_group group;
    for (std::size_t i = 0; i < in.size(); ++i)
        group.run([&, i] { out[i] = f(in[i]); });
    group.wait();
    return out;
}

measured enqueue(const effort& how)
{
    const two_threads limit;
    tbb::task_arena arena(2);
    return round_trips(how, [&](std::int64_t i) {
        const auto promise = std::make_shared<std::promise<std::int64_t>>(); // TBB calls a const function object
        auto future = promise->get_future();
        arena.enqueue([promise, i] { promise->set_value(increment(i)); });
        return future.get();
    });
}

measured doubles_by(const effort& how, std::size_t count, double unit, integers (*map)(const integers&, function))
{
    const two_threads limit;
    return doubles(how, count, unit, [map](const integers& in) { return map(in, twice); });
}

measured parallel_reduce(const effort& how)
{
    const two_threads limit;
    std::int64_t (*volatile function)(std::int64_t) = twice;
    return sums(how, [&](const integers& in) {
        const auto f = function;
        return tbb::parallel_reduce(
            tbb::blocked_range<std::size_t>(0, in.size()), std::int64_t(0),
            [&](const tbb::blocked_range<std::size_t>& part, std::int64_t sum) {
                for (std::size_t i = part.begin(); i != part.end(); ++i)
                    sum += f(in[i]);
                return sum;
            },
            std::plus<>());
    });
}

measured efficiency_of(const effort& how, std::size_t count, function task)
{
    const two_threads limit;
    return efficiency(how, count, task,
                      [task](const integers& in) { return parallel_for<tbb::auto_partitioner>(in, task); });
}

} // namespace

void add_onetbb(registry& rows)
{
    const auto chunked = parallel_for<tbb::auto_partitioner>;
    const auto single = parallel_for<tbb::simple_partitioner>;
    rows.add({"w1", "oneTBB task_arena, enqueue and future", role::peer, enqueue});
    rows.add({"w2", "oneTBB parallel_for", role::peer,
              [=](const effort& how) { return doubles_by(how, 1'000'000, 1e9, chunked); }});
    rows.add({"w2-chunk-1", "oneTBB parallel_for, grain 1", role::peer,
              [=](const effort& how) { return doubles_by(how, 100'000, 1e6, single); }});
    rows.add({"w2-chunk-1", "oneTBB task_group", role::peer,
              [](const effort& how) { return doubles_by(how, 100'000, 1e6, task_group); }});
    rows.add({"w2-reduce", "oneTBB parallel_reduce", role::peer, parallel_reduce});
    rows.add({"w3", "oneTBB parallel_for", role::peer,
              [](const effort& how) { return efficiency_of(how, 10'000, equal_task); }});
    rows.add({"w4", "oneTBB parallel_for", role::peer,
              [](const effort& how) { return efficiency_of(how, 1000, unequal_task); }});
}

} // namespace bench
