// SPDX-License-Identifier: BSL-1.0
// expect: as_completed takes what submit and amap return, mp::future
#include <twat/mp/as_completed.hpp>

#include <future>
#include <vector>

#ifdef TWAT_MP_CONTROL
using future_type = twat::mp::future<int>;
#else
using future_type = std::future<int>;
#endif

int use(std::vector<future_type>& futures)
{
    int sum = 0;
    for (auto& future : twat::mp::as_completed(futures))
        sum += future.get();
    return sum;
}
