// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_PARCEL_HPP
#define TWAT_MP_PARCEL_HPP

#include <boost/exception/info.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp {

namespace detail {
struct parcel_content;
}

/** One call of a task as bytes, to run it again: the function, its arguments, the program's build, the worker's initializer and state, the
    directory and the environment variables of the program.

    `program --twat-mp-replay FILE` runs it in that process, under a debugger for example; with `--show` behind it says what is in it. The
    program is the one that made the parcel, and calls `run_if_worker` or links `mp_main`. Another build of it can run functions, and initializers,
    that are registered by name (`TWAT_MP_REGISTER`); everything else is refused with both build ids.

    A parcel holds what the task was given and the environment variables, secrets among them.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const. Copies share the bytes.
*/
class parcel
{
public:
    /// An empty one.
    parcel() noexcept = default;
    /// @private
    explicit parcel(std::shared_ptr<const detail::parcel_content> content) noexcept : content_(std::move(content)) {}

    /// Whether it holds no call. Arguments of more than 16 MiB are not kept.
    bool empty() const noexcept { return !content_; }

    /** Writes it into a file, which nobody but its owner may read or write (0600). A file of that name is replaced by the whole new one.

        @throws boost::system::system_error that names the file, if it cannot be written. @throws std::logic_error if this is empty.
    */
    TWAT_MP_DECL void save(const std::filesystem::path& file) const;

    /** Reads a file that `save` has written.

        @throws boost::system::system_error that names the file, if it cannot be read. @throws error `errc::decode_failed` if it is damaged, or
        something else.
    */
    TWAT_MP_DECL static parcel load(const std::filesystem::path& file);

    /// What `save` writes. @throws std::logic_error if this is empty.
    TWAT_MP_DECL std::string bytes() const;

    /// The position in the input of the task; 0 if this is empty.
    TWAT_MP_DECL std::uint64_t task_index() const noexcept;
    /// Bytes of the encoded arguments.
    TWAT_MP_DECL std::size_t size() const noexcept;
    /// The types of the function and its parameters.
    TWAT_MP_DECL std::string function() const;
    /// The build of the program that made it, in hexadecimal digits.
    TWAT_MP_DECL std::string build() const;
    /// The path of that program.
    TWAT_MP_DECL std::string program() const;
    /// Why it was made: what became of the task.
    TWAT_MP_DECL std::string reason() const;
    /// Where the pool keeps it (`pool_options::parcels`); empty if it does not. The file is written a moment after the task has failed.
    TWAT_MP_DECL std::filesystem::path file() const;

    /// @private
    const std::shared_ptr<const detail::parcel_content>& content() const noexcept { return content_; }

private:
    std::shared_ptr<const detail::parcel_content> content_;
};

struct BOOST_SYMBOL_VISIBLE errinfo_parcel_tag;
/// The call that failed, to run it again: `program --twat-mp-replay FILE`.
using errinfo_parcel = boost::error_info<errinfo_parcel_tag, parcel>;
/// The command that runs it again, if the pool keeps it in a file; otherwise what is in it.
TWAT_MP_DECL std::string to_string(const errinfo_parcel& info);

} // namespace twat::mp

#endif
