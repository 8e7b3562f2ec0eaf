// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/reclaim.hpp>

#include <boost/system/system_error.hpp>

#include <twat/mp/detail/exception/carrier.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp {

std::string to_string(const errinfo_refused&) { return "its arguments can be taken back (mp::reclaim)\n"; }

namespace detail {

std::exception_ptr give_back(std::exception_ptr error, std::shared_ptr<refused_arguments> arguments) noexcept
{
    try {
        try {
            std::rethrow_exception(error);
        }
        catch (const boost::exception& e) {
            e << errinfo_refused(std::move(arguments));
        }
        catch (const boost::system::system_error& e) {
            if (typeid(e) == typeid(boost::system::system_error)) // a cancellation
                return give_back(carry<boost::system::system_error>([&] { return e; }, {}), std::move(arguments));
            if (typeid(e) == typeid(twat::mp::error))
                return give_back(carry<twat::mp::error>([&] { return static_cast<const twat::mp::error&>(e); }, {}),
                                 std::move(arguments));
        }
    }
    catch (...) { // no memory, or an error that can carry nothing
    }
    return error;
}

} // namespace detail
} // namespace twat::mp
