// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_CLUSTER_CUT_LINK_HPP
#define TWAT_MP_TEST_CLUSTER_CUT_LINK_HPP

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace twat::mp::test {

/** A way to a broker that can be cut and mended, without root.

    As with a cable that is pulled out nobody is told: connections stay, new ones get no answer, and what was sent meanwhile arrives when the link is
    back, as TCP sends it again.
*/
class cut_link
{
public:
    explicit cut_link(int broker_port)
        : to_(boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(broker_port)),
          acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0})
    {
        accept();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~cut_link()
    {
        io_.stop();
        thread_.join();
    }

    std::string url() const { return "nats://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

    void cut()
    {
        in_thread([this] { is_cut_ = true; });
    }
    void mend()
    {
        in_thread([this] {
            is_cut_ = false;
            const auto waiting = std::exchange(waiting_, {});
            for (const auto& go_on : waiting)
                go_on();
        });
    }

private:
    using socket = boost::asio::ip::tcp::socket;
    struct direction
    {
        std::shared_ptr<socket> from, to;
        std::array<std::byte, 65536> buffer{};
    };

    void in_thread(std::function<void()> f)
    {
        std::promise<void> done;
        boost::asio::post(io_, [&] {
            f();
            done.set_value();
        });
        done.get_future().wait();
    }

    void when_whole(std::function<void()> go_on)
    {
        if (is_cut_)
            waiting_.push_back(std::move(go_on));
        else
            go_on();
    }

    void accept()
    {
        acceptor_.async_accept([this](boost::system::error_code ec, socket made) {
            if (ec)
                return;
            when_whole([this, near = std::make_shared<socket>(std::move(made))] {
                const auto far = std::make_shared<socket>(io_);
                far->async_connect(to_, [this, near, far](boost::system::error_code failed) {
                    if (failed)
                        return;
                    read(std::make_shared<direction>(direction{near, far}));
                    read(std::make_shared<direction>(direction{far, near}));
                });
            });
            accept();
        });
    }

    void read(const std::shared_ptr<direction>& d)
    {
        d->from->async_read_some(
            boost::asio::buffer(d->buffer), [this, d](boost::system::error_code ec, std::size_t n) {
                when_whole([this, d, ec, n] {
                    if (ec)
                        return end(*d);
                    boost::asio::async_write(
                        *d->to, boost::asio::buffer(d->buffer, n),
                        [this, d](boost::system::error_code failed, std::size_t) { failed ? end(*d) : read(d); });
                });
            });
    }

    static void end(direction& d)
    {
        boost::system::error_code ignored;
        d.to->shutdown(socket::shutdown_send, ignored);
        d.from->close(ignored);
    }

    boost::asio::io_context io_{1};
    boost::asio::ip::tcp::endpoint to_;
    boost::asio::ip::tcp::acceptor acceptor_;
    bool is_cut_ = false;
    std::vector<std::function<void()>> waiting_;
    std::thread thread_;
};

} // namespace twat::mp::test

#endif
