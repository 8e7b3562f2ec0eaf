// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_JOURNAL_HPP
#define TWAT_MP_DETAIL_OPERATION_JOURNAL_HPP

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/journal_sync.hpp>

namespace twat::mp::detail {

class operation;
class journal_file;

/// Which item of a journal: the task's index, and a hash of its encoded arguments.
struct journal_key
{
    std::uint64_t index = 0;
    std::uint64_t hash = 0;
};

/// FNV-1a, 64 bits.
TWAT_MP_DECL std::uint64_t hash_of(std::span<const std::byte> bytes) noexcept;

/// Whose results a journal has.
struct journal_owner
{
    std::string function{}; ///< As it is told to people.
    std::uint64_t hash = 0; ///< Of the function's bytes and its bound arguments.
};

/// Where a journal is, and when it is on the disk.
struct journal_place
{
    std::filesystem::path path;
    journal_sync sync = journal_sync::never;
};

/** The journal of one operation: opened when its first task is pulled, closed when it is over.

    @par Thread Safety
    Its members may be called from any thread.
*/
class TWAT_MP_DECL journal_use
{
public:
    explicit journal_use(journal_place place);
    ~journal_use();

    /// Opens, locks and repairs it, unless it is open. @throws system_error that names the file.
    void open(const journal_owner& owner);
    void close() noexcept;

    /// The encoded result of an item that is there.
    std::optional<std::vector<std::byte>> find(const journal_key& key);
    /// Adds one. @throws system_error that names the file, if the disk is full, say.
    void append(const journal_key& key, std::span<const std::byte> result);

private:
    std::mutex mutex_;
    const journal_place place_;
    std::unique_ptr<journal_file> file_;
};

/** An operation whose items come from and go to a journal.

    @param encodes Arguments and results are bytes, which this looks at. Otherwise the function does it in the workers, see `journaled_function`, and
    this opens and closes the journal.
*/
TWAT_MP_DECL std::shared_ptr<operation> journaled(std::shared_ptr<operation> op, std::shared_ptr<journal_use> journal,
                                                  journal_owner owner, bool encodes);

} // namespace twat::mp::detail

#endif
