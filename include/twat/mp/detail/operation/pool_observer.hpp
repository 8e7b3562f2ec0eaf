// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_POOL_OBSERVER_HPP
#define TWAT_MP_DETAIL_OPERATION_POOL_OBSERVER_HPP

#include <cstddef>
#include <cstdint>
#include <exception>

#include <twat/mp/config.hpp>
#include <twat/mp/tenant.hpp>
#include <twat/mp/trace_event.hpp>

namespace twat::mp::detail {

/// A task that failed for good. Good during the call.
struct observed_failure
{
    std::uint64_t index = 0; ///< Its position in the input.
    trace_outcome how = trace_outcome::failed;
    const char* label = nullptr; ///< `call_options::label`.
    tenant_id tenant{};
    bool placed = false; ///< A worker held it: what follows says which.
    std::size_t worker = 0;
    int pid = 0;
    const char* host = nullptr; ///< As in `trace_event`.
    std::exception_ptr error{};
};

/** Told what happens in a pool, as long as somebody else keeps it: for what is attached to a pool that was made before. Called on the pool's strand, one
    call at a time, and must be quick. */
class pool_observer
{
public:
    virtual ~pool_observer() = default;

    virtual void happened(const trace_event& event) noexcept = 0;
    virtual void failed(const observed_failure& failure) noexcept = 0;
};

} // namespace twat::mp::detail

#endif
