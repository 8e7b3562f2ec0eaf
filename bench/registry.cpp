// SPDX-License-Identifier: BSL-1.0
#include "registry.hpp"

#include <cstdio>
#include <cstring>
#include <exception>

#include "json_line.hpp"

namespace bench {

namespace {

const char* name_of(role what)
{
    switch (what) {
    case role::floor: return "floor";
    case role::peer: return "peer";
    case role::ours: return "ours";
    }
    return "";
}

} // namespace

const std::vector<workload>& workloads()
{
    static const std::vector<workload> all{
        {"w1", "One trivial call at a time, idle pool", "us a call", true, "socketpair, Asio in the parent"},
        {"w2", "map of x*2 over a million int64, default chunks", "ns an item", true, "socketpairs, 64 KiB a frame"},
        {"w2-chunk-1", "map of x*2 over 100,000 int64, chunk_size = 1", "us a task", true,
         "socketpairs, a frame a task, 4096 deep"},
        {"w2-reduce", "Sum of x*2 over a million int64", "ns an item", true, "one thread, no pool"},
        {"w2-reduce-over", "The same, less the time of one loop", "ns an item", true, ""},
        {"w3", "map over 10,000 tasks of about 4 us", "efficiency", false, "1"},
        {"w4", "map over 1000 tasks, 1 % of which cost 100 times as much", "efficiency", false, "1"},
        {"w5", "One value of 64 MiB there and back", "GB/s", false, "shared pages, kept"},
        {"w5-many", "1000 values of 64 KiB there and back", "GB/s", false, "socketpairs, framed"},
        {"w6", "Two workers, from nothing to the first result", "ms", true, "this program, vfork and exec"},
        {"w6-1gib", "The same in a host of 1 GiB", "ms", true, "this program, vfork and exec"},
        {"w6-stop", "Two idle workers, to their end", "ms", true, "this program, vfork and exec"},
        {"w7-first", "First result of imap over a million items", "us", true, "apply of process_pool"},
        {"w7-memory", "Growth of memory while imap goes over a million items", "MiB", true, ""},
        {"w7", "imap over a million items, read to the end", "ns an item", true, "map of process_pool"},
        {"w8", "3200 coroutine tasks of 50 ms, 4 workers of 64 each", "times the ideal", true, "1"},
        {"w8-start", "The same, with the start of the workers", "times the ideal", true, "1"},
        {"w9", "Delay of a 1 ms timer while workers compute", "us, p99", true, "two busy processes, no pool"},
        {"w9-arrivals", "Delay of a 1 ms timer while results of 1 MiB arrive", "us, p99", true,
         "two busy processes, no pool"},
        {"w9-departures", "Delay of a 1 ms timer while arguments of 1 MiB go out", "us, p99", true,
         "two busy processes, no pool"},
        {"w9-backlog", "Delay of a 1 ms timer with ten thousand calls in flight", "us, p99", true,
         "two busy processes, no pool"},
        {"w9-workers", "Delay of a 1 ms timer beside 256 workers", "us, p99", true, "two busy processes, no pool"},
        {"w10", "gzip of a file of 200 MB with two workers", "MB/s", false, "pigz -p 2"},
        {"w11", "Host CPU for a task, chunk_size = 1, by workers that sleep", "us a task", true, ""},
        {"w11-default", "Host CPU for a task, default chunks, by workers that sleep", "us a task", true, ""},
        {"w12", "One call at a time over a broker", "us a call", true, "nats.c, request to a queue group"},
        {"w12-10ms", "map over tasks that sleep for 10 ms, by workers on three hosts", "times the ideal rate", false,
         ""},
        {"w12-1us", "map over a million tasks that sleep for 1 us, default chunks", "ns an item", true, ""},
        {"w12-cpu", "CPU of the parent for a chunk, by 16 workers that sleep for 10 ms", "us a chunk", true, ""},
        {"w13", "Processor time of the loop for a call, a million waiting beside a thousand", "times", true, ""},
        {"w13-submit", "One call and its future at a time, threads", "us a call", true,
         "asio::thread_pool, post and future"},
        {"w13-submit-many", "10,000 calls and their futures, threads", "us a call", true,
         "asio::thread_pool, post and future"},
        {"w15", "Calls of 1 ms, of which 1 % stall for 100 ms", "ms, p99.9", true, ""},
    };
    return all;
}

void registry::list() const
{
    for (const workload& w : workloads()) {
        json_line()
            .add("workload", w.id)
            .add("title", w.title)
            .add("unit", w.unit)
            .add("less_is_better", w.less_is_better)
            .add("reference", w.reference)
            .print();
    }
    for (const row& r : rows_) {
        json_line()
            .add("row", r.name)
            .add("workload", r.workload)
            .add("role", name_of(r.what))
            .add("baseline", r.baseline)
            .add("goal", r.goal)
            .print();
    }
    for (const std::string& why : skipped_)
        json_line().add("skipped", why).print();
}

int registry::run(int argc, char** argv) const
{
    int at = 1;
    if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    effort how;
    if (at < argc && std::strcmp(argv[at], "--quick") == 0) {
        how.quick = true;
        ++at;
    }
    if (argc - at != 2) {
        std::fprintf(stderr, "usage: %s --list | [--quick] WORKLOAD ROW\n", argv[0]);
        return 2;
    }
    for (const row& r : rows_) {
        if (r.workload != argv[at] || r.name != argv[at + 1])
            continue;
        try {
            const measured m = r.run(how);
            json_line line;
            line.add("workload", r.workload).add("row", r.name).add("value", m.value);
            for (const auto& [key, value] : m.more)
                line.add(key, value);
            line.print();
            return 0;
        }
        catch (const std::exception& error) {
            std::fprintf(stderr, "%s, %s: %s\n", argv[at], argv[at + 1], error.what());
            return 1;
        }
    }
    std::fprintf(stderr, "no row '%s' in workload '%s'\n", argv[at + 1], argv[at]);
    return 2;
}

} // namespace bench
