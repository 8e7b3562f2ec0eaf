// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_OUTCOMES_HPP
#define TWAT_MP_SRC_CLUSTER_OUTCOMES_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <twat/mp/detail/codec/byte_buffer.hpp>

namespace twat::mp::detail::cluster {

// The outcomes of a chunk's tasks as bytes: a record for each task, in their order, and behind these the values and exceptions. Values that
// are neighbours and of one size are found as such by the pool, which takes thousands of them in one call.

struct outcome_record
{
    std::uint64_t offset = 0; ///< Behind the records.
    std::uint64_t size = 0;
    std::int32_t pid = 0; ///< Of the worker, for an exception.
    enum kind : std::int32_t { missing, value, failure } what = missing;
};

/** Collects outcomes, in any order. */
class outcome_collector
{
public:
    explicit outcome_collector(std::size_t count) : records_(count) {}

    void add_value(std::size_t position, std::span<const std::byte> value);
    /// @param host Where it happened; named by a `worker_died`.
    void add_failure(std::size_t position, const std::exception_ptr& error, const std::string& host);
    bool has(std::size_t position) const noexcept { return records_[position].what != outcome_record::missing; }
    std::size_t size() const noexcept { return records_.size(); }

    std::vector<std::byte> take();

private:
    void add(std::size_t position, std::span<const std::byte> bytes, outcome_record::kind what, int pid);

    std::vector<outcome_record> records_;
    byte_buffer bytes_;
};

/** The same bytes, at the other end. */
class outcome_reader
{
public:
    /// Throws `mp::error` (`decode_failed`) if they are not the outcomes of so many tasks.
    outcome_reader(std::span<const std::byte> body, std::size_t count);

    std::size_t size() const noexcept { return count_; }
    outcome_record operator[](std::size_t position) const noexcept;
    std::span<const std::byte> bytes(const outcome_record& record) const noexcept;

    /// How many from this one on are values of one size, one behind the other.
    std::size_t neighbours(std::size_t position) const noexcept;

private:
    const std::byte* records_;
    std::span<const std::byte> bytes_;
    std::size_t count_;
};

} // namespace twat::mp::detail::cluster

#endif
