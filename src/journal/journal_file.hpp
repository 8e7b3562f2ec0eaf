// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_JOURNAL_JOURNAL_FILE_HPP
#define TWAT_MP_SRC_JOURNAL_JOURNAL_FILE_HPP

#include <twat/mp/detail/operation/journal.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "os/descriptor.hpp"

namespace twat::mp::detail {

/** A file of finished items, to which records are added.

    A header says whose items they are. Each record has its length and a checksum, so that a record of which a crash or a full disk left only a part
    is known: it and what lies behind it is cut off when the file is opened. Records are written at once: they survive
    the death of this process. What the system had not written when the machine failed is run again; `journal_sync` bounds that. The file is locked as long as it is open.
*/
class journal_file
{
public:
    /// Opens it, or makes it. @throws boost::system::system_error, std::invalid_argument if it is somebody else's.
    journal_file(const journal_place& place, const journal_owner& owner);
    ~journal_file();
    journal_file(const journal_file&) = delete;
    journal_file& operator=(const journal_file&) = delete;

    std::size_t size() const noexcept { return items_.size(); }
    /// Bytes that were cut off when it was opened.
    std::uint64_t repaired() const noexcept { return repaired_; }

    std::optional<std::vector<std::byte>> find(const journal_key& key) const;
    void append(const journal_key& key, std::span<const std::byte> result);

private:
    struct place
    {
        std::uint64_t hash;
        std::uint64_t offset;
        std::uint64_t size;
    };

    void check_header(const journal_owner& owner);
    void read_records();
    std::size_t read_at(std::uint64_t offset, void* to, std::size_t size) const;
    void write(std::span<const std::byte> bytes);
    void sync_if_due();
    void sync();
    void sync_folder() const;
    [[noreturn]] void fail(int error, const char* what) const;

    const std::filesystem::path path_;
    const journal_sync when_;
    std::chrono::steady_clock::time_point synced_{};
    bool unsynced_ = false; ///< Records were written since.
    unique_descriptor fd_;
    std::uint64_t end_ = 0; ///< Behind the last whole record.
    std::uint64_t repaired_ = 0;
    std::unordered_map<std::uint64_t, place> items_; ///< By index; a later record takes the place of an earlier one.
};

} // namespace twat::mp::detail

#endif
