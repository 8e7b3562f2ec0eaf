// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/monitor.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "monitor/access.hpp"
#include "monitor/request_target.hpp"
#include "monitor/texts.hpp"
#include "monitor/viewer.hpp"

namespace twat::mp {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t most_connections = 256;
constexpr std::size_t longest_request = 8192;
constexpr std::size_t shortest_token = 16;
constexpr auto patience = std::chrono::seconds(10);
constexpr auto recording = std::chrono::seconds(10);

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
          acceptor_(strand_), viewer_(std::make_shared<detail::viewer>(strand_, options_))
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
            self->viewer_->stop();
            boost::system::error_code ignored;
            self->acceptor_.close(ignored);
            for (auto& [key, one] : self->sessions_)
                if (const auto alive = one.lock())
                    alive->close();
        });
    }

    detail::viewer& shown() noexcept { return *viewer_; }
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
            keep_alive_ = asked.keep_alive();
            stream_.expires_never(); // what takes its time has a limit of its own
            owner_->answer(asked, [self = shared_from_this(), open = std::make_shared<bool>(true)](response made) {
                if (std::exchange(*open, false))
                    self->write(std::move(made));
            });
        }
        void write(response made)
        {
            response_ = std::move(made);
            response_.keep_alive(keep_alive_);
            response_.prepare_payload();
            stream_.expires_after(patience);
            http::async_write(stream_, response_,
                              [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                                  self->response_ = {}; // an idle client costs nothing
                                  if (!ec && self->keep_alive_ && !self->owner_->stopped_)
                                      self->read();
                              });
        }

        const std::shared_ptr<implementation> owner_;
        beast::tcp_stream stream_;
        beast::flat_buffer buffer_{longest_request};
        std::optional<http::request_parser<http::empty_body>> parser_;
        response response_;
        bool keep_alive_ = false;
    };

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

    static response made(detail::monitor_answer with)
    {
        response r = made(static_cast<http::status>(with.status), std::move(with.body), with.type);
        if (!with.file.empty())
            r.set(http::field::content_disposition, "attachment; filename=\"" + with.file + '"');
        return r;
    }

    /// What stands between a client and an answer; nothing: it gets one.
    std::optional<response> refusal(const request& asked, const detail::request_target& target) const
    {
        const std::string token = target.value("token");
        const bool open =
            target.path == "/healthz" || target.path == "/readyz"; // for who watches the program and knows no secret
        switch (detail::judge_request({text_of(asked, http::field::host), text_of(asked, http::field::origin),
                                       text_of(asked, http::field::authorization), token},
                                      open ? std::string_view() : options_.token, address_.is_loopback())) {
        case detail::access::granted: return {};
        case detail::access::wrong_host:
            return made(http::status::forbidden, "the Host of the request is not that of the loopback interface\n");
        case detail::access::wrong_origin:
            return made(http::status::forbidden, "the request comes from a page of another origin\n");
        case detail::access::no_token: break;
        }
        response r = made(http::status::unauthorized, "a token is needed: Authorization: Bearer TOKEN\n");
        r.set(http::field::www_authenticate, "Bearer");
        return r;
    }

    /// What goes wrong is the client's matter: an exception would end the program's own loop. @param respond Heeds its first call only.
    void answer(const request& asked, const std::function<void(response)>& respond)
    {
        try {
            answer_or_throw(asked, respond);
        }
        catch (const std::exception& e) {
            respond(made(http::status::internal_server_error, e.what() + std::string("\n")));
        }
        catch (...) {
            respond(made(http::status::internal_server_error, "an exception of an unknown type\n"));
        }
    }

    void answer_or_throw(const request& asked, const std::function<void(response)>& respond)
    {
        const detail::request_target target(std::string_view(asked.target().data(), asked.target().size()));
        if (asked.method() != http::verb::get && asked.method() != http::verb::post) {
            response r = made(http::status::method_not_allowed, "only GET and POST are answered\n");
            r.set(http::field::allow, "GET, POST");
            return respond(std::move(r));
        }
        if (auto refused = refusal(asked, target))
            return respond(std::move(*refused));
        const auto later = [respond](detail::monitor_answer with) { respond(made(std::move(with))); };
        if (asked.method() == http::verb::post)
            return act(target, later);
        if (target.path == "/report")
            return viewer_->report(target.value("pool"), target.number("id"), later);
        respond(told(target));
    }

    /// What does more than look.
    void act(const detail::request_target& target, const detail::viewer::respond& later)
    {
        const auto forbidden = [&](const char* option) {
            later({.status = 403, .body = "monitor_options::" + std::string(option) + " does not allow it\n"});
        };
        if (target.path == "/dump")
            return options_.dumps ? viewer_->dump(target.value("pool"), later) : forbidden("dumps");
        if (target.path == "/record")
            return options_.records ? viewer_->record(target.value("pool"), recording, later) : forbidden("records");
        later({.status = 404, .body = "there is /dump and /record to post to\n"});
    }

    response told(const detail::request_target& target)
    {
        if (target.path == "/healthz")
            return made(http::status::ok, "ok\n");
        if (target.path == "/readyz")
            return ready();
        if (target.path == "/metrics")
            return made(http::status::ok, detail::metrics_text(viewer_->look()),
                        "text/plain; version=0.0.4; charset=utf-8");
        if (target.path == "/pools.json")
            return made(http::status::ok, detail::pools_json(viewer_->look()), "application/json");
        if (target.path == "/frame.json")
            return made(http::status::ok, *viewer_->frame(), "application/json");
        if (target.path == "/parcel")
            return options_.parcels ? made(viewer_->parcel(target.value("pool"), target.number("id")))
                                    : made(http::status::forbidden, "monitor_options::parcels does not allow it\n");
        if (target.path == "/")
            return made(http::status::ok, std::string(detail::monitor_page()), "text/html; charset=utf-8");
        return made(http::status::not_found, "there is /, /metrics, /pools.json, /healthz and /readyz\n");
    }

    response ready()
    {
        for (const auto& [name, stats] : viewer_->look())
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
    const std::shared_ptr<detail::viewer> viewer_;
};

monitor::monitor(asio::any_io_executor executor, monitor_options options)
    : implementation_(std::make_shared<implementation>(std::move(executor), std::move(options)))
{
    implementation_->accept();
}

monitor::~monitor()
{
    implementation_->shown().close(); // pools may end with the monitor, before the loop comes to the rest
    implementation_->stop();
}

void monitor::unwatch(const std::string& name) { implementation_->shown().remove(name); }
void monitor::add(std::string name, std::function<std::shared_ptr<detail::pool_core>()> core)
{
    implementation_->shown().add(std::move(name), std::move(core));
}
unsigned short monitor::port() const noexcept { return implementation_->port(); }
void monitor::stop() { implementation_->stop(); }

} // namespace twat::mp
