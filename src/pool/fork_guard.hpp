// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_FORK_GUARD_HPP
#define TWAT_MP_SRC_POOL_FORK_GUARD_HPP

namespace twat::mp::detail {

/// Tells whether the process has been forked since the guard was made: what runs here then is the copy. Costs a load.
class fork_guard
{
public:
    fork_guard();
    bool forked() const noexcept;

private:
    unsigned generation_;
};

} // namespace twat::mp::detail

#endif
