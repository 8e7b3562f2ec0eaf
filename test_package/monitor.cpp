// SPDX-License-Identifier: BSL-1.0
// Says "twat-mp monitor: ok" if a monitor listens.
#include <twat/mp/monitor.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>

int main()
{
    boost::asio::io_context context;
    twat::mp::monitor_options options;
    options.port = 0;
    twat::mp::monitor monitor(context, options);
    if (monitor.port() == 0)
        return 1;
    std::cout << "twat-mp monitor: ok\n";
}
