// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/parcel.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <boost/system/system_error.hpp>

#include <twat/mp/codec.hpp>
#include <twat/mp/error.hpp>

#include "exception/parcel_content.hpp"
#include "function/module.hpp"
#include "function/text.hpp"
#include "os/file_status.hpp"

namespace twat::mp {
namespace detail {
namespace {

constexpr std::string_view magic = "twat-mp parcel 1\n";
/// What is larger is no parcel of ours: their arguments are bounded.
constexpr std::size_t most_bytes = std::size_t(64) << 20;

std::uint64_t checksum(std::string_view text) noexcept
{
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325u; // FNV-1a
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01b3u;
    return hash;
}

[[noreturn]] void refuse(const char* why)
{
    throw error(errc::decode_failed, std::string("a parcel was expected: ") + why);
}

[[noreturn]] void fail(const char* what, const std::filesystem::path& file, int code = errno)
{
    throw boost::system::system_error(boost::system::error_code(code, boost::system::system_category()),
                                      std::string(what) + " the parcel " + file.string());
}

class open_file
{
public:
    explicit open_file(int fd) noexcept : fd_(fd) {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

} // namespace

std::string encode_parcel(const parcel_call& call)
{
    encoder out;
    out.write(call);
    const auto bytes = out.bytes();
    const std::string_view body(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::uint64_t sum = checksum(body);
    std::string file(magic);
    file.append(reinterpret_cast<const char*>(&sum), sizeof sum);
    file.append(body);
    return file;
}

parcel_call decode_parcel(std::span<const std::byte> bytes)
{
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::uint64_t sum;
    if (!all.starts_with(magic) || all.size() < magic.size() + sizeof sum)
        refuse("the file is something else, or of another version");
    std::memcpy(&sum, all.data() + magic.size(), sizeof sum);
    const std::string_view body = all.substr(magic.size() + sizeof sum);
    if (checksum(body) != sum)
        refuse("the file is damaged");
    decoder in(bytes.subspan(magic.size() + sizeof sum));
    auto call = in.read<parcel_call>();
    if (in.remaining() != 0)
        refuse("something stands behind it");
    return call;
}

} // namespace detail

std::string parcel::bytes() const
{
    if (!content_)
        throw std::logic_error("an empty mp::parcel cannot be saved");
    return detail::encode_parcel(content_->call);
}

void parcel::save(const std::filesystem::path& file) const
{
    const std::string bytes = this->bytes();
    std::string temporary = file.string() + ".XXXXXX";
    const detail::open_file to(::mkostemp(temporary.data(), O_CLOEXEC)); // 0600
    if (to.get() < 0)
        detail::fail("cannot make", file);
    for (std::string_view rest = bytes; !rest.empty();) {
        const ssize_t n = ::write(to.get(), rest.data(), rest.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            const int error = errno;
            ::unlink(temporary.c_str());
            detail::fail("cannot write", file, error);
        }
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        detail::fail("cannot make", file, error);
    }
}

parcel parcel::load(const std::filesystem::path& file)
{
    const detail::open_file from(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)); // a pipe is not waited for
    const auto about = detail::status_of(from.get());
    if (!about)
        detail::fail("cannot open", file);
    if (!about->is_regular || about->size > detail::most_bytes)
        throw error(errc::decode_failed, "a parcel was expected: " + file.string() + " is no file of a parcel's size");
    std::string bytes(static_cast<std::size_t>(about->size), '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t n = ::read(from.get(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            detail::fail("cannot read", file);
        if (n == 0) {
            bytes.resize(done);
            break;
        }
        done += static_cast<std::size_t>(n);
    }
    auto content = std::make_shared<detail::parcel_content>();
    content->call = detail::decode_parcel(std::as_bytes(std::span(bytes)));
    content->file = file;
    content->trusted = about->is_trusted;
    return parcel(std::move(content));
}

std::uint64_t parcel::task_index() const noexcept { return content_ ? content_->call.index : 0; }

std::size_t parcel::size() const noexcept { return content_ ? content_->call.arguments.size() : 0; }

std::string parcel::function() const { return content_ ? detail::readable_types(content_->call.types) : std::string(); }

std::string parcel::build() const { return content_ ? detail::to_hex(content_->call.build) : std::string(); }

std::string parcel::program() const { return content_ ? content_->call.program : std::string(); }

std::string parcel::reason() const { return content_ ? content_->call.reason : std::string(); }

std::filesystem::path parcel::file() const { return content_ ? content_->file : std::filesystem::path(); }

std::string to_string(const errinfo_parcel& info)
{
    const parcel& call = info.value();
    if (call.empty())
        return {};
    if (call.file().empty())
        return "Parcel: the call with " + std::to_string(call.size()) +
               " bytes of arguments; save it, or set pool_options::parcels, to run it again\n";
    return "Run it again: " + call.content()->call.program + " --twat-mp-replay " + call.file().string() + '\n';
}

} // namespace twat::mp
