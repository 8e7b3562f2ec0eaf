// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_RECORDER_HPP
#define TWAT_MP_SRC_MONITOR_RECORDER_HPP

#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/trace_file.hpp>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>

namespace twat::mp::detail {

/// A file of the owner's that is removed at the end.
class temporary_file
{
public:
    /// Throws `std::system_error`.
    temporary_file();
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file();

    const std::filesystem::path& path() const noexcept { return path_; }
    std::string read() const;

private:
    std::filesystem::path path_;
};

/** Records a pool, from when it is attached until it is destroyed. */
class recorder final : public pool_observer
{
public:
    /// Some 16 MiB as JSON.
    static constexpr std::size_t most_events = 100'000;

    void happened(const trace_event& event) noexcept override
    {
        if (events_.fetch_add(1, std::memory_order_relaxed) < most_events)
            trace_(event);
    }
    void failed(const observed_failure&) noexcept override {}

    /// The file's content so far, complete JSON.
    std::string text() const { return file_.read(); }

private:
    temporary_file file_;
    trace_file trace_{file_.path()};
    std::atomic<std::size_t> events_{0};
};

} // namespace twat::mp::detail

#endif
