// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_FUNCTION_MODULE_HPP
#define TWAT_MP_SRC_FUNCTION_MODULE_HPP

#include <twat/mp/config.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace twat::mp::detail {

/** Names one build of one program or shared library, in raw bytes: the linker's build id, or, where there is none, a
    hash of everything in it that is loaded and never written.
*/
using module_id = std::string;

inline constexpr std::size_t max_module_id = 64;

/// A program or shared library, where this process has loaded it.
class loaded_module
{
public:
    struct segment
    {
        std::uintptr_t begin, end; ///< Addresses of the bytes that come from the file.
        std::uintptr_t memory_end; ///< Behind them lie zeroes, up to here.
        bool readable, writable, executable;
    };

    loaded_module(std::uintptr_t base, std::string path, std::vector<segment> segments, module_id build_id)
        : base_(base), path_(std::move(path)), segments_(std::move(segments)), id_(std::move(build_id)),
          has_build_id_(!id_.empty())
    {}

    /// What the loader added to the addresses in the file; 0 for a program that is not position independent.
    std::uintptr_t base() const noexcept { return base_; }
    /// The file, for messages; the main program's own name for itself.
    const std::string& path() const noexcept { return path_; }
    /// The last part of the path.
    std::string_view name() const noexcept;
    const std::vector<segment>& segments() const noexcept { return segments_; }
    /// The segment in which all of `size` bytes from `address` on lie; null if there is none.
    const segment* find_segment(std::uintptr_t address, std::size_t size) const noexcept;

    bool has_build_id() const noexcept { return has_build_id_; }
    /// Reads the whole module when it is first asked for, if the linker gave no build id.
    const module_id& id() const;

private:
    std::uintptr_t base_;
    std::string path_;
    std::vector<segment> segments_;
    mutable module_id id_;
    bool has_build_id_;
    mutable std::once_flag hashed_;
};

using module_list = std::vector<std::shared_ptr<const loaded_module>>;

/// Everything that is loaded now, the main program first. Read anew only after something was loaded or unloaded.
std::shared_ptr<const module_list> loaded_modules();

/// The module that an address lies in; null for the heap, the stack and generated code.
std::shared_ptr<const loaded_module> module_of(const void* address);

/// The module with this identity; null if it is not loaded.
std::shared_ptr<const loaded_module> find_module(std::string_view id);

/// The main program's identity: equal in the caller's process and in its workers, unless they are different builds.
TWAT_MP_DECL const module_id& build_id();

/// As hexadecimal digits, for messages.
TWAT_MP_DECL std::string to_hex(std::string_view id);

} // namespace twat::mp::detail

#endif
