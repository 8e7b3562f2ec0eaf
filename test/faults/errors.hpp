// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_ERRORS_HPP
#define TWAT_MP_TEST_FAULTS_ERRORS_HPP

#include <twat/mp/error.hpp>

#include <exception>
#include <vector>

namespace twat::mp::test {

/// Its own code, then those nested in it.
inline std::vector<errc> codes_of(std::exception_ptr error)
{
    std::vector<errc> codes;
    while (error) {
        std::exception_ptr inner;
        try {
            std::rethrow_exception(error);
        }
        catch (const std::exception& e) {
            if (const auto* known = dynamic_cast<const boost::system::system_error*>(&e);
                known && known->code().category() == error_category())
                codes.push_back(static_cast<errc>(known->code().value()));
            if (const auto* nested = dynamic_cast<const std::nested_exception*>(&e))
                inner = nested->nested_ptr();
        }
        catch (...) {
        }
        error = inner;
    }
    return codes;
}

/// The error that a call ended with; null if it ended well.
template <class F>
std::exception_ptr error_of(F call)
{
    try {
        call();
        return nullptr;
    }
    catch (...) {
        return std::current_exception();
    }
}

} // namespace twat::mp::test

#endif
