// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_FUNCTIONS_HPP
#define TWAT_MP_SRC_WORKER_FUNCTIONS_HPP

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <unordered_map>

#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/detail/function/worker_function.hpp>

namespace twat::mp::detail {

/// The function of an operation, or why there is none.
struct known_function
{
    std::unique_ptr<worker_function> function;
    std::exception_ptr error;
};

/** The functions of the operations that a worker serves. */
class function_table
{
public:
    void add(std::uint64_t op, std::span<const std::byte> bytes);
    void forget(std::uint64_t op) { functions_.erase(op); }
    /// Null if the operation is not known.
    std::shared_ptr<const known_function> find(std::uint64_t op) const;

private:
    std::unordered_map<std::uint64_t, std::shared_ptr<const known_function>> functions_;
    // A row of calls of one function is common: it is decoded once.
    byte_buffer last_bytes_;
    std::shared_ptr<const known_function> last_;
};

/// Decodes a function as `decode_function` does. Never throws for bad bytes: the error is in the result.
known_function load_function(std::span<const std::byte> bytes);

} // namespace twat::mp::detail

#endif
