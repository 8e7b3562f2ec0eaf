// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_DIARY_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_DIARY_HPP

#include <functional>

#include <twat/mp/options.hpp>

#include "backend/worker_set.hpp"
#include "process/obituary.hpp"

namespace twat::mp::detail {

struct worker_identity;

/// Tells the program what becomes of its workers: `pool_options::on_event`, and stderr where TWAT_MP_DEBUG asks for that.
class worker_diary
{
public:
    worker_diary(std::function<void(const pool_event&)> on_event, bool debug)
        : on_event_(std::move(on_event)), debug_(debug)
    {}

    void launched(const worker_identity& worker) const;
    void ready(const worker_identity& worker) const;
    void gone(const worker_identity& worker, const worker_end& end) const;
    void recalled(const worker_identity& worker, chunk_id chunk, std::size_t kept) const;
    void cancelled(const worker_identity& worker, chunk_id chunk) const;

private:
    void report(const worker_identity& worker, pool_event event) const;
    void say(const worker_identity& worker, const std::string& what) const;

    const std::function<void(const pool_event&)> on_event_;
    const bool debug_;
};

} // namespace twat::mp::detail

#endif
