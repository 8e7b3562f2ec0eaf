// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_MEMORY_PROBE_HPP
#define TWAT_MP_SRC_WORKER_MEMORY_PROBE_HPP

#include <twat/mp/options.hpp>

#include "shm/shared_page.hpp"
#include "worker/outcomes.hpp"

namespace twat::mp::detail {

/** Tells the parent, in the shared page, how large this process is. */
class memory_probe
{
public:
    explicit memory_probe(const shared_page& page) : page_(page) {}

    /// How often, at most, to look. A look costs some microseconds.
    void set_period(duration period) noexcept { period_ = period; }

    /// Looks, if the last look was long enough ago.
    void look(time_point now) noexcept
    {
        if (now - last_ >= period_)
            look_now(now);
    }

private:
    void look_now(time_point now) noexcept;

    const shared_page& page_;
    duration period_{std::chrono::milliseconds(100)};
    time_point last_{};
};

} // namespace twat::mp::detail

#endif
