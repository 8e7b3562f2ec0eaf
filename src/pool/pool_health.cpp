// SPDX-License-Identifier: BSL-1.0
#include "pool/pool_health.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp::detail {
namespace {

/// Whether an error says by itself that the pool cannot serve.
bool says_broken(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return e.code() == errc::pool_broken || e.code() == errc::no_agents || e.code() == errc::broker_failed;
    }
    catch (...) {
        return false;
    }
}

} // namespace

void pool_health::broke(cause why, bool for_good)
{
    trying_ = false;
    for_good_ = for_good;
    why_ = std::move(why);
}

void pool_health::mended()
{
    trying_ = false;
    why_ = nullptr;
}

std::exception_ptr pool_health::error() const
{
    std::exception_ptr why = why_();
    if (for_good_ || says_broken(why))
        return why;
    return make_nested(errc::pool_broken,
                       "no worker of the pool could be started; one will be tried again after a pause", why);
}

bool pool_health::try_again(bool awaited, const std::function<bool()>& start)
{
    if (for_good_ || (trying_ && awaited))
        return false;
    trying_ = true; // before it starts: it may fail at once
    if (start())
        return true;
    trying_ = false;
    return false;
}

} // namespace twat::mp::detail
