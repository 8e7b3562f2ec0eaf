// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_JOURNAL_JOURNAL_FILE_HPP
#define TWAT_MP_SRC_JOURNAL_JOURNAL_FILE_HPP

#include <twat/mp/detail/operation/journal.hpp>

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
    is known: it and what lies behind it is cut off when the file is opened. Records are written at once and not synchronized: they survive
    the death of this process, and what the system had not written when the machine failed is run again. The file is locked as long as it is open.
*/
class journal_file
{
public:
    /// Opens it, or makes it. @throws boost::system::system_error, std::invalid_argument if it is somebody else's.
    journal_file(const std::filesystem::path& path, const journal_owner& owner);

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
    [[noreturn]] void fail(int error, const char* what) const;

    const std::filesystem::path path_;
    unique_descriptor fd_;
    std::uint64_t end_ = 0; ///< Behind the last whole record.
    std::uint64_t repaired_ = 0;
    std::unordered_map<std::uint64_t, place> items_; ///< By index; a later record takes the place of an earlier one.
};

} // namespace twat::mp::detail

#endif
