// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_PARCELS_HPP
#define TWAT_MP_SRC_PROCESS_PARCELS_HPP

#include <cstddef>
#include <string>

#include <twat/mp/options.hpp>
#include <twat/mp/parcel.hpp>
#include <twat/mp/task.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** Makes parcels of the tasks of one pool that failed, and keeps them in files as `pool_options::parcels` says. For the pool's strand. */
class parcel_maker
{
public:
    parcel_maker(const pool_options& options, const task& state)
        : options_(options.parcels), program_(options.executable), initializer_(options.initializer), state_(state)
    {}

    const parcel_options& options() const noexcept { return options_; }

    /// Of the task at this position of a chunk. Empty if its arguments are large, or memory is short. @param reason What became of it.
    parcel make(const chunk& work, std::size_t position, std::size_t node, const std::string& reason) const noexcept;

private:
    const parcel_options options_;
    const std::filesystem::path program_; ///< Of the workers; empty: this one.
    const task initializer_, state_;
};

} // namespace twat::mp::detail

#endif
