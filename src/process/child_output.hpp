// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_CHILD_OUTPUT_HPP
#define TWAT_MP_SRC_PROCESS_CHILD_OUTPUT_HPP

#include <twat/mp/config.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <mutex>
#include <string>

#include "os/output_tail.hpp"
#include "os/descriptor.hpp"

namespace twat::mp::detail {

/** Reads what a child writes into a pipe, all the time, whoever else is busy: the child must never wait for somebody to read. Keeps the end of it.

    All but `text` is for the context's one thread, or before it knows of this.
*/
class child_output : public std::enable_shared_from_this<child_output>
{
public:
    explicit child_output(asio::io_context& context) : pipe_(context) {}

    /// Owns the descriptor if there is no error.
    void assign(unique_descriptor& pipe, boost::system::error_code& ec);

    void watch();

    /// The child is over. What it left behind is read; not what others go on writing.
    void drain();

    /// By any thread.
    std::string text() const;

private:
    bool read();

    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> pipe_;
    mutable std::mutex mutex_; // For what follows.
    output_tail tail_;
};

} // namespace twat::mp::detail

#endif
