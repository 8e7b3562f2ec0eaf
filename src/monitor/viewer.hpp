// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_VIEWER_HPP
#define TWAT_MP_SRC_MONITOR_VIEWER_HPP

#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/monitor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/pool_board.hpp"
#include "monitor/recorder.hpp"
#include "monitor/texts.hpp"

namespace twat::mp::detail {

/// What a request is answered with.
struct monitor_answer
{
    unsigned status = 200;
    std::string body{};
    const char* type = "text/plain; charset=utf-8";
    std::string file{}; ///< The name under which it is to be saved; empty: it is shown.
};

/** The pools that a monitor watches, and what it says of them. On one strand, but for `add`, `remove` and `close`. */
class viewer : public std::enable_shared_from_this<viewer>
{
public:
    using strand = asio::strand<asio::any_io_executor>;
    using core_source = std::function<std::shared_ptr<pool_core>()>;
    /// Called once on the strand; destroyed there.
    using respond = std::function<void(monitor_answer)>;

    viewer(strand on, const monitor_options& options)
        : strand_(std::move(on)), options_(options), relay_(std::make_shared<relay>()), lag_timer_(strand_)
    {
        relay_->on = strand_;
    }

    void add(std::string name, core_source core);
    void remove(const std::string& name);
    /// Forgets the pools and posts nothing any more: the context may end.
    void close();
    /// What is outstanding is not answered.
    void stop();

    /// The counters of all pools.
    watched_pools look();
    /// What the page shows, made a few times a second at most, whoever asks.
    std::shared_ptr<const std::string> frame();

    void dump(const std::string& pool, respond to);
    void record(const std::string& pool, std::chrono::seconds length, respond to);
    void report(const std::string& pool, std::uint64_t id, respond to);
    monitor_answer parcel(const std::string& pool, std::uint64_t id) const;

private:
    using clock = std::chrono::steady_clock;

    struct watched
    {
        core_source source;
        std::shared_ptr<pool_board> board;
        std::weak_ptr<pool_core> observed;
    };
    /// By which jobs on other threads come back, since the monitor and its context may end meanwhile.
    struct relay
    {
        std::mutex mutex;
        std::optional<strand> on; // none: the context may be gone
    };
    struct waiting
    {
        respond to;
        std::unique_ptr<asio::steady_timer> limit;
    };

    std::shared_ptr<pool_core> core_of(watched& pool);
    std::shared_ptr<pool_core> find(const std::string& pool);
    std::shared_ptr<pool_board> board_of(const std::string& pool) const;
    std::uint64_t wait(respond to, std::chrono::seconds limit);
    void answer(std::uint64_t number, monitor_answer with);
    /// Runs `make` on a thread for what takes long, and answers with what it returns.
    void make_elsewhere(std::uint64_t number, std::function<monitor_answer()> make);
    std::string make_frame(clock::time_point now);
    void read_memory();
    void measure_lag();

    const strand strand_;
    const monitor_options options_;
    const std::shared_ptr<relay> relay_;
    mutable std::mutex mutex_;
    std::map<std::string, watched> pools_;

    std::map<std::uint64_t, waiting> waiting_;
    std::uint64_t last_waiting_ = 0;
    std::uint64_t dumping_ = 0, recording_ = 0; // whose answer waits for it; 0: nobody's
    std::shared_ptr<recorder> recorder_;
    std::unique_ptr<asio::steady_timer> recorded_;

    std::shared_ptr<const std::string> frame_;
    clock::time_point framed_{}, asked_{};
    std::vector<int> unread_; // processes whose memory is read next
    clock::time_point memory_read_{};
    asio::steady_timer lag_timer_;
    bool measures_ = false, stopped_ = false;
    std::chrono::nanoseconds lag_{};
};

} // namespace twat::mp::detail

#endif
