// SPDX-License-Identifier: BSL-1.0
// What async_pool_cases.hpp needs, which stands inside a suite.
#include <boost/asio/awaitable.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/mp11/list.hpp>
#include <boost/range/combine.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/tuple/tuple.hpp>

#include <array>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/result.hpp>
#include <twat/mp/result_stream.hpp>
