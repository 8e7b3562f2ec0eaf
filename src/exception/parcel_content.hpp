// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_EXCEPTION_PARCEL_CONTENT_HPP
#define TWAT_MP_SRC_EXCEPTION_PARCEL_CONTENT_HPP

#include <twat/mp/parcel.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace twat::mp::detail {

/// What `descriptor_reference` and `write_name` write.
struct parcel_function
{
    std::string by_place; ///< For the same build.
    std::string by_name;  ///< For any; empty: it is not registered.
};

/// A parcel, as it stands in the file.
struct parcel_call
{
    std::string build;   ///< Raw.
    std::string program; ///< Its path.
    std::string types;   ///< Of the function and its parameters.
    std::string reason;
    parcel_function function, initializer, state; ///< The last two: empty if there is none.
    std::string arguments;
    std::uint64_t index = 0, seed = 0, node = 0, chunk = 0;
    std::string directory;
    std::vector<std::string> environment; ///< "NAME=value".
};

struct parcel_content
{
    parcel_call call;
    std::filesystem::path file; ///< Where it is kept; empty: nowhere.
    bool trusted = false;       ///< It was read from a file that nobody else may have written.
};

/// The bytes of a file.
std::string encode_parcel(const parcel_call& call);
/// Throws `mp::error` (`decode_failed`) for anything else than `encode_parcel` makes.
parcel_call decode_parcel(std::span<const std::byte> bytes);

} // namespace twat::mp::detail

#endif
