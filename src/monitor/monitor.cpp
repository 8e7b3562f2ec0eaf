// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/monitor.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "monitor/access.hpp"
#include "monitor/texts.hpp"

namespace twat::mp {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t most_connections = 100;
constexpr std::size_t longest_request = 8192;
constexpr std::size_t shortest_token = 16;
constexpr auto patience = std::chrono::seconds(10);

asio::ip::address checked(const monitor_options& options)
{
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(options.address, ec);
    if (ec)
        throw std::invalid_argument("twat::mp::monitor_options::address is \"" + options.address +
                                    "\", which is no IP address");
    if (!options.token.empty() && options.token.size() < shortest_token)
        throw std::invalid_argument("twat::mp::monitor_options::token has fewer than 16 characters");
    if (!address.is_loopback() && options.token.empty())
        throw std::invalid_argument("twat::mp::monitor_options::token is empty, but " + options.address +
                                    " can be reached from other hosts: whoever asks must show a token");
    return address;
}

} // namespace

class monitor::implementation : public std::enable_shared_from_this<implementation>
{
public:
    implementation(asio::any_io_executor executor, monitor_options options)
        : options_(std::move(options)), address_(checked(options_)), strand_(asio::make_strand(executor)),
          acceptor_(strand_)
    {
        const tcp::endpoint endpoint(address_, options_.port);
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen();
        port_ = acceptor_.local_endpoint().port();
    }

    void accept()
    {
        acceptor_.async_accept(strand_, [self = shared_from_this()](boost::system::error_code ec, tcp::socket socket) {
            if (self->stopped_ || ec == asio::error::operation_aborted)
                return;
            if (!ec && self->sessions_.size() < most_connections)
                std::make_shared<session>(self, std::move(socket))->begin();
            self->accept();
        });
    }

    void stop()
    {
        asio::dispatch(strand_, [self = shared_from_this()] {
            self->stopped_ = true;
            boost::system::error_code ignored;
            self->acceptor_.close(ignored);
            for (auto& [key, one] : self->sessions_)
                if (const auto alive = one.lock())
                    alive->close();
        });
    }

    void add(std::string name, std::function<pool_stats()> stats)
    {
        std::lock_guard lock(mutex_);
        pools_[std::move(name)] = std::move(stats);
    }
    void remove(const std::string& name)
    {
        std::lock_guard lock(mutex_);
        pools_.erase(name);
    }
    void remove_all()
    {
        std::lock_guard lock(mutex_);
        pools_.clear();
    }
    unsigned short port() const noexcept { return port_; }

private:
    using request = http::request<http::empty_body>;
    using response = http::response<http::string_body>;

    /// One client.
    class session : public std::enable_shared_from_this<session>
    {
    public:
        session(std::shared_ptr<implementation> owner, tcp::socket socket)
            : owner_(std::move(owner)), stream_(std::move(socket))
        {}
        ~session() { owner_->sessions_.erase(this); }

        void begin()
        {
            owner_->sessions_.emplace(this, weak_from_this());
            read();
        }
        void close() { stream_.cancel(); }

    private:
        void read()
        {
            parser_.emplace();
            parser_->header_limit(longest_request);
            parser_->body_limit(0);
            stream_.expires_after(patience);
            http::async_read(stream_, buffer_, *parser_,
                             [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                                 if (!ec && !self->owner_->stopped_)
                                     self->answer();
                             });
        }
        void answer()
        {
            const request asked = parser_->release();
            response_ = owner_->answer(asked);
            response_.keep_alive(asked.keep_alive());
            response_.prepare_payload();
            stream_.expires_after(patience);
            http::async_write(stream_, response_,
                              [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                                  if (!ec && self->response_.keep_alive() && !self->owner_->stopped_)
                                      self->read();
                              });
        }

        const std::shared_ptr<implementation> owner_;
        beast::tcp_stream stream_;
        beast::flat_buffer buffer_{longest_request};
        std::optional<http::request_parser<http::empty_body>> parser_;
        response response_;
    };

    detail::watched_pools look() const
    {
        detail::watched_pools all;
        std::lock_guard lock(mutex_);
        for (const auto& [name, stats] : pools_)
            all.emplace(name, stats());
        return all;
    }

    static std::string_view text_of(const request& asked, http::field field)
    {
        const auto found = asked.find(field);
        return found == asked.end() ? std::string_view()
                                    : std::string_view(found->value().data(), found->value().size());
    }

    static response made(http::status status, std::string body, const char* type = "text/plain; charset=utf-8")
    {
        response r(status, 11);
        r.set(http::field::content_type, type);
        r.set(http::field::cache_control, "no-store");
        r.set("X-Content-Type-Options", "nosniff");
        r.set("Referrer-Policy", "no-referrer");
        r.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                                         "connect-src 'self'; frame-ancestors 'none'");
        r.body() = std::move(body);
        return r;
    }

    response answer(const request& asked) const
    {
        const std::string_view target(asked.target().data(), asked.target().size());
        const std::string_view path = target.substr(0, target.find('?'));
        constexpr std::string_view key = "?token=";
        const auto at = target.find(key);
        const std::string_view token =
            at == std::string_view::npos ? std::string_view() : target.substr(at + key.size());
        if (asked.method() != http::verb::get) {
            response r = made(http::status::method_not_allowed, "only GET is answered\n");
            r.set(http::field::allow, "GET");
            return r;
        }
        const bool open = path == "/healthz" || path == "/readyz"; // for who watches the program and knows no secret
        switch (detail::judge_request({text_of(asked, http::field::host), text_of(asked, http::field::origin),
                                       text_of(asked, http::field::authorization), token},
                                      open ? std::string_view() : options_.token, address_.is_loopback())) {
        case detail::access::granted: break;
        case detail::access::wrong_host:
            return made(http::status::forbidden, "the Host of the request is not that of the loopback interface\n");
        case detail::access::wrong_origin:
            return made(http::status::forbidden, "the request comes from a page of another origin\n");
        case detail::access::no_token: {
            response r = made(http::status::unauthorized, "a token is needed: Authorization: Bearer TOKEN\n");
            r.set(http::field::www_authenticate, "Bearer");
            return r;
        }
        }
        if (path == "/healthz")
            return made(http::status::ok, "ok\n");
        if (path == "/readyz")
            return ready();
        if (path == "/metrics")
            return made(http::status::ok, detail::metrics_text(look()), "text/plain; version=0.0.4; charset=utf-8");
        if (path == "/pools.json")
            return made(http::status::ok, detail::pools_json(look()), "application/json");
        if (path == "/")
            return made(http::status::ok, std::string(detail::monitor_page()), "text/html; charset=utf-8");
        return made(http::status::not_found, "there is /, /metrics, /pools.json, /healthz and /readyz\n");
    }

    response ready() const
    {
        for (const auto& [name, stats] : look())
            if (stats.ready == 0)
                return made(http::status::service_unavailable, "no worker of pool " + name + " is ready\n");
        return made(http::status::ok, "ready\n");
    }

    const monitor_options options_;
    const asio::ip::address address_;
    asio::strand<asio::any_io_executor> strand_;
    tcp::acceptor acceptor_;
    unsigned short port_ = 0;
    bool stopped_ = false;
    std::map<session*, std::weak_ptr<session>> sessions_;
    mutable std::mutex mutex_;
    std::map<std::string, std::function<pool_stats()>> pools_;
};

monitor::monitor(asio::any_io_executor executor, monitor_options options)
    : implementation_(std::make_shared<implementation>(std::move(executor), std::move(options)))
{
    implementation_->accept();
}

monitor::~monitor()
{
    implementation_->remove_all(); // pools may end with the monitor, before the loop comes to the rest
    implementation_->stop();
}

void monitor::unwatch(const std::string& name) { implementation_->remove(name); }
void monitor::add(std::string name, std::function<pool_stats()> stats)
{
    implementation_->add(std::move(name), std::move(stats));
}
unsigned short monitor::port() const noexcept { return implementation_->port(); }
void monitor::stop() { implementation_->stop(); }

} // namespace twat::mp
