// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/trace_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace twat::mp {
namespace {

const char* name(trace_outcome outcome)
{
    switch (outcome) {
    case trace_outcome::done: return "done";
    case trace_outcome::failed: return "failed";
    case trace_outcome::timed_out: return "timed out";
    case trace_outcome::died: return "died";
    case trace_outcome::cancelled: return "cancelled";
    }
    return "";
}

std::string json_string(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text)
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (static_cast<unsigned char>(c) < 0x20)
            out += ' ';
        else
            out += c;
    return out += '"';
}

std::string format(const char* pattern, auto... values)
{
    char text[256];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

double microseconds(std::chrono::nanoseconds t) { return std::chrono::duration<double, std::micro>(t).count(); }

std::string tasks(const trace_event& e)
{
    if (e.count == 1)
        return format("task %" PRIu64, e.first);
    return format("tasks %" PRIu64 " to %" PRIu64, e.first, e.first + (e.count == 0 ? 0 : e.count - 1));
}

} // namespace

class trace_file::implementation
{
public:
    explicit implementation(const std::filesystem::path& path)
        : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)),
          begun_(std::chrono::steady_clock::now())
    {
        constexpr std::string_view head =
            "[\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"args\":{\"name\":\"pool\"}}\n]\n";
        if (file_ < 0 || ::write(file_, head.data(), head.size()) != static_cast<ssize_t>(head.size())) {
            const int error = errno;
            if (file_ >= 0)
                ::close(file_);
            throw std::system_error(error, std::generic_category(), path.string());
        }
        end_ = static_cast<off_t>(head.size() - tail.size());
    }
    ~implementation() { ::close(file_); }

    void write(const trace_event& e)
    {
        switch (e.what) {
        case trace_event::worker_ready: {
            const std::string process = e.pid == 0 ? "" : format(" (process %d)", e.pid);
            add("M", e, name_of_thread(e.worker, process));
            return add("i", e, ",\"name\":\"ready\",\"s\":\"t\"");
        }
        case trace_event::worker_gone:
            return add("i", e,
                       e.outcome == trace_outcome::died ? ",\"name\":\"died\",\"s\":\"t\""
                                                        : ",\"name\":\"ended\",\"s\":\"t\"");
        case trace_event::operation_added:
            return add("b", e,
                       name_of_operation(e) + (e.trace_parent.valid() ? ",\"args\":{\"traceparent\":" +
                                                                            json_string(e.trace_parent.text()) + "}"
                                                                      : ""));
        case trace_event::operation_ended: return add("e", e, name_of_operation(e) + ",\"args\":{" + result(e) + "}");
        case trace_event::chunk_begun:
            return add(e.coroutine ? "b" : "B", e,
                       name_of_chunk(e) + ",\"args\":{\"tasks\":" + json_string(tasks(e)) +
                           format(",\"operation\":%" PRIu64, e.operation) + (e.copy ? ",\"copy\":true}" : "}"));
        case trace_event::chunk_ended:
            return add(e.coroutine ? "e" : "E", e, name_of_chunk(e) + ",\"args\":{" + result(e) + "}");
        case trace_event::task_used: return add("i", e, ",\"name\":\"used\",\"s\":\"t\",\"args\":{" + bill(e) + "}");
        }
    }

private:
    static constexpr std::string_view tail = "\n]\n";

    // Tracks: 0 the operations, 1 and up the workers.
    static bool is_of_worker(const trace_event& e)
    {
        return e.what != trace_event::operation_added && e.what != trace_event::operation_ended;
    }

    static std::string name_of_thread(std::size_t worker, const std::string& process)
    {
        return ",\"name\":\"thread_name\",\"args\":{\"name\":\"worker " + std::to_string(worker) + process + "\"}";
    }

    static std::string name_of_operation(const trace_event& e)
    {
        const std::string number = format("operation %" PRIu64, e.operation);
        return ",\"cat\":\"operation\",\"name\":" + json_string(e.label ? e.label : number) +
               format(",\"id\":%" PRIu64, e.operation);
    }

    static std::string name_of_chunk(const trace_event& e)
    {
        std::string text =
            ",\"cat\":\"chunk\",\"name\":" + json_string(e.label ? e.label : format("operation %" PRIu64, e.operation));
        if (e.coroutine)
            text += format(",\"id\":%" PRIu64, e.chunk);
        return text;
    }

    static std::string result(const trace_event& e)
    {
        return "\"outcome\":" + json_string(name(e.outcome)) +
               format(",\"count\":%zu,\"failed\":%zu", e.count, e.failed);
    }

    static std::string bill(const trace_event& e)
    {
        const usage& u = *e.used;
        return format("\"task\":%" PRIu64 ",\"user_us\":%.3f,\"system_us\":%.3f,\"ran_us\":%.3f,\"waited_us\":%.3f",
                      u.task_index, microseconds(u.user), microseconds(u.system), microseconds(u.ran),
                      microseconds(u.waited)) +
               format(",\"minor_faults\":%" PRIu64 ",\"major_faults\":%" PRIu64
                      ",\"peak_bytes\":%zu,\"growth_bytes\":%zu",
                      u.minor_faults, u.major_faults, u.peak_memory, u.memory_growth) +
               format(",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64, u.bytes_in, u.bytes_out);
    }

    // Overwrites the end of the array with the event and a new end, in one write: whoever looks finds whole JSON.
    void add(const char* phase, const trace_event& e, const std::string& rest)
    {
        std::lock_guard lock(mutex_);
        append(head(phase, e, e.host ? find_host(e).process : 1) + rest + "}");
    }

    std::string head(const char* phase, const trace_event& e, std::size_t process) const
    {
        return format(",\n{\"ph\":\"%s\",\"ts\":%.3f,\"pid\":%zu,\"tid\":%zu", phase, microseconds(e.when - begun_),
                      process, is_of_worker(e) ? e.worker + 1 : 0);
    }

    /// What the timeline shows as a process of its own.
    struct known_host
    {
        std::size_t process = 1; // the pool's, with the operations
        std::size_t lanes = 0;   // that have a name
    };

    /// With its tracks' names in front of their first events.
    const known_host& find_host(const trace_event& e)
    {
        const auto [at, added] = hosts_.try_emplace(e.host);
        known_host& host = at->second;
        if (added) {
            host.process = hosts_.size() + 1;
            append(head("M", e, host.process) + ",\"name\":\"process_name\",\"args\":{\"name\":" + json_string(e.host) +
                   "}}");
        }
        trace_event named = e;
        for (named.worker = host.lanes; named.worker <= e.worker; ++named.worker)
            append(head("M", named, host.process) + name_of_thread(named.worker, "") + "}");
        host.lanes = std::max(host.lanes, e.worker + 1);
        return host;
    }

    void append(std::string text)
    {
        text += tail;
        if (!full_ && ::pwrite(file_, text.data(), text.size(), end_) == static_cast<ssize_t>(text.size())) {
            end_ += static_cast<off_t>(text.size() - tail.size());
            return;
        }
        if (!std::exchange(full_, true)) { // what was written of it is taken back; for the old end there is room
            (void)!::ftruncate(file_, end_);
            (void)!::pwrite(file_, tail.data(), tail.size(), end_);
        }
    }

    const int file_;
    const std::chrono::steady_clock::time_point begun_;
    std::mutex mutex_;
    std::map<std::string, known_host, std::less<>> hosts_;
    off_t end_ = 0; // where the array's end stands
    bool full_ = false;
};

trace_file::trace_file(const std::filesystem::path& path) : implementation_(std::make_shared<implementation>(path)) {}

void trace_file::operator()(const trace_event& event) const noexcept
{
    try {
        implementation_->write(event);
    }
    catch (...) {
        // No memory for the text: this event is missing.
    }
}

} // namespace twat::mp
