// SPDX-License-Identifier: BSL-1.0
#include "journal/journal_file.hpp"

#include <boost/crc.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "function/module.hpp"
#include "os/file_status.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::uint64_t journal_magic = 0x316c'6e72'756f'6a74; // "tjournl1"
constexpr std::size_t most_text = 4096;

struct record_header
{
    std::uint32_t checksum; ///< Of all that follows.
    std::uint32_t reserved;
    std::uint64_t size; ///< Of the result behind this.
    std::uint64_t index;
    std::uint64_t hash;
};

std::uint32_t checksum(const record_header& header, std::span<const std::byte> result)
{
    boost::crc_32_type crc;
    const auto* const first = reinterpret_cast<const unsigned char*>(&header);
    crc.process_bytes(first + sizeof header.checksum, sizeof header - sizeof header.checksum);
    crc.process_bytes(result.data(), result.size());
    return static_cast<std::uint32_t>(crc.checksum());
}

std::string hex(std::string_view bytes)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const unsigned char c : bytes.substr(0, 8))
        text += {digits[c >> 4], digits[c & 15]};
    return text;
}

} // namespace

void journal_file::fail(int error, const char* what) const
{
    throw boost::system::system_error(error, boost::system::system_category(),
                                      std::string(what) + " the journal '" + path_.string() + "'");
}

journal_file::journal_file(const journal_place& place, const journal_owner& owner)
    : path_(place.path), when_(place.sync), synced_(std::chrono::steady_clock::now())
{
    fd_ = unique_descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (fd_.get() == -1)
        fail(errno, "opening");
    if (!lock_file(fd_.get())) {
        if (errno == EWOULDBLOCK)
            fail(EBUSY, "another operation, perhaps of another process, uses");
        fail(errno, "locking");
    }
    check_header(owner);
    read_records();
}

journal_file::~journal_file()
{
    if (unsynced_)
        static_cast<void>(::fdatasync(fd_.get())); // the results are told already
}

// A record counts once it is as safe as it shall be.
void journal_file::sync_if_due()
{
    if (when_ == journal_sync::never)
        return;
    if (when_ == journal_sync::always || std::chrono::steady_clock::now() - synced_ >= std::chrono::seconds(1))
        return sync();
    unsynced_ = true;
}

void journal_file::sync()
{
    if (::fdatasync(fd_.get()) == -1)
        fail(errno, "synchronizing");
    synced_ = std::chrono::steady_clock::now();
    unsynced_ = false;
}

// A new file is lost with its name.
void journal_file::sync_folder() const
{
    const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
    const unique_descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.get() == -1 || ::fsync(opened.get()) == -1)
        fail(errno, "synchronizing the folder of");
}

std::size_t journal_file::read_at(std::uint64_t offset, void* to, std::size_t size) const
{
    std::size_t done = 0;
    while (done != size) {
        const ssize_t n =
            ::pread(fd_.get(), static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            fail(errno, "reading");
        if (n == 0)
            break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

void journal_file::check_header(const journal_owner& owner)
{
    const std::string& build = build_id();
    const std::string text = owner.function.substr(0, most_text);
    std::vector<std::byte> wanted;
    const auto put = [&](const void* from, std::size_t size) {
        const auto* const bytes = static_cast<const std::byte*>(from);
        wanted.insert(wanted.end(), bytes, bytes + size);
    };
    const std::uint64_t words[] = {journal_magic, owner.hash, build.size(), text.size()};
    put(words, sizeof words);
    put(build.data(), build.size());
    put(text.data(), text.size());
    boost::crc_32_type crc;
    crc.process_bytes(wanted.data(), wanted.size());
    const std::uint64_t sum = crc.checksum();
    put(&sum, sizeof sum);

    std::vector<std::byte> found(wanted.size());
    const std::size_t read = read_at(0, found.data(), found.size());
    if (read == found.size() && found == wanted) {
        end_ = wanted.size();
        return;
    }
    const auto status = status_of(fd_.get());
    if (!status)
        fail(errno, "looking at");
    const std::string name = "the journal '" + path_.string() + "' ";
    const bool is_start = status->size == read &&
                          std::equal(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(read), wanted.begin());
    if (!is_start) { // not one whose maker died before its first record
        std::uint64_t theirs[4] = {};
        if (read_at(0, theirs, sizeof theirs) != sizeof theirs || theirs[0] != journal_magic || theirs[2] > most_text ||
            theirs[3] > most_text)
            throw std::invalid_argument("twat::mp: " + name + "is no journal; nothing was changed in it");
        std::string their_build(theirs[2], ' '), their_function(theirs[3], ' ');
        read_at(sizeof theirs, their_build.data(), their_build.size());
        read_at(sizeof theirs + their_build.size(), their_function.data(), their_function.size());
        if (their_build != build)
            throw std::invalid_argument("twat::mp: " + name + "is of another build of the program (" +
                                        hex(their_build) + ", this is " + hex(build) +
                                        "), whose results may differ; remove it to begin anew");
        throw std::invalid_argument("twat::mp: " + name + "is of another function (" + their_function + ", this is " +
                                    text + "), or of other bound arguments; give each its own journal");
    }
    if (::ftruncate(fd_.get(), 0) == -1)
        fail(errno, "beginning");
    write(wanted);
    end_ = wanted.size();
    if (when_ != journal_sync::never)
        sync(), sync_folder();
}

void journal_file::read_records()
{
    const auto status = status_of(fd_.get());
    if (!status)
        fail(errno, "looking at");
    const std::uint64_t size = status->size;
    std::vector<std::byte> result;
    while (size - end_ >= sizeof(record_header)) {
        record_header header;
        if (read_at(end_, &header, sizeof header) != sizeof header || header.size > size - end_ - sizeof header)
            break;
        result.resize(static_cast<std::size_t>(header.size));
        const std::uint64_t at = end_ + sizeof header;
        if (read_at(at, result.data(), result.size()) != result.size() || checksum(header, result) != header.checksum)
            break;
        items_[header.index] = {header.hash, at, header.size};
        end_ = at + header.size;
    }
    repaired_ = size - end_;
    if (repaired_ != 0 && ::ftruncate(fd_.get(), static_cast<off_t>(end_)) == -1)
        fail(errno, "repairing");
}

std::optional<std::vector<std::byte>> journal_file::find(const journal_key& key) const
{
    const auto found = items_.find(key.index);
    if (found == items_.end() || found->second.hash != key.hash)
        return std::nullopt;
    std::vector<std::byte> result(static_cast<std::size_t>(found->second.size));
    if (read_at(found->second.offset, result.data(), result.size()) != result.size())
        return std::nullopt;
    return result;
}

void journal_file::append(const journal_key& key, std::span<const std::byte> result)
{
    record_header header{0, 0, result.size(), key.index, key.hash};
    header.checksum = checksum(header, result);
    const auto head = std::as_bytes(std::span(&header, 1));
    std::vector<std::byte> record;
    record.reserve(head.size() + result.size());
    record.insert(record.end(), head.begin(), head.end());
    record.insert(record.end(), result.begin(), result.end());
    write(record);
    sync_if_due();
    items_[key.index] = {key.hash, end_ + sizeof header, result.size()};
    end_ += record.size();
}

void journal_file::write(std::span<const std::byte> bytes)
{
    std::size_t done = 0;
    while (done != bytes.size()) {
        const ssize_t n =
            ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(end_ + done));
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1) {
            const int error = errno;
            // otherwise the next one who opens it does
            static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(end_)));
            fail(error, "writing");
        }
        done += static_cast<std::size_t>(n);
    }
}

} // namespace twat::mp::detail
