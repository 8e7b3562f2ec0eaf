// SPDX-License-Identifier: BSL-1.0
#include "connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <tuple>
#include <utility>

#include "http_date.hpp"
#include "routes.hpp"

namespace offload {

namespace beast = boost::beast;
using namespace std::chrono_literals;
using boost::system::error_code;

namespace {

constexpr std::size_t header_limit = 16 * 1024;
constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

} // namespace

connection::connection(http_server& server, tcp::socket socket)
    : server_(server), socket_(std::move(socket)), buffer_(header_limit + 64 * 1024), timer_(socket_.get_executor())
{
    server_.arrived(*this);
}

connection::~connection() { server_.left(*this); }

void connection::close()
{
    error_code ignored;
    socket_.close(ignored);
}

bool connection::kept() const { return keep_alive_ && !server_.stopping(); }

void connection::count(std::string_view route, unsigned status)
{
    server_.counted().answered(std::string(route), status, std::chrono::steady_clock::now() - began_);
}

// ---------------------------------------------------------------- time

void connection::within(std::chrono::milliseconds time)
{
    late_ = 0;
    timer_.expires_after(time);
    timer_.async_wait([weak = weak_from_this(), turn = ++turn_](error_code ec) {
        if (const auto self = weak.lock(); !ec && self && self->turn_ == turn)
            self->give_up(408);
    });
}

void connection::at_leisure()
{
    ++turn_;
    timer_.cancel();
}

void connection::give_up(unsigned status)
{
    late_ = status;
    error_code ignored;
    socket_.cancel(ignored);
}

// ---------------------------------------------------------------- reading

asio::awaitable<void> connection::run()
{
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    while (co_await one_request())
        ;
    at_leisure();
    if (buffer_.size() != 0)
        co_await linger();
}

/// False: it was the last.
asio::awaitable<bool> connection::one_request()
{
    busy_ = false;
    http::request_parser<http::string_body> p;
    p.header_limit(header_limit);
    p.body_limit(server_.options().max_body);
    // Read to its end within the client's time, counted from its first byte; before it, a connection may be idle for longer.
    if (buffer_.size() == 0) {
        within(4 * server_.options().client_timeout);
        auto [ec, n] = co_await socket_.async_read_some(buffer_.prepare(4096), no_throw);
        if (ec)
            co_return false;
        buffer_.commit(n);
    }
    busy_ = reading_ = true;
    version_ = 11;
    keep_alive_ = false;
    began_ = std::chrono::steady_clock::now();
    within(server_.options().client_timeout);
    auto [header_error, header_size] = co_await http::async_read_header(socket_, buffer_, p, no_throw);
    if (header_error)
        co_return co_await refuse(header_error);
    std::size_t received = header_size;
    version_ = p.get().version();
    if (const auto wrong = objection(p.get(), server_.options()))
        co_return co_await refuse(*wrong);
    if (!p.is_done()) {
        if (beast::iequals(p.get()[http::field::expect], "100-continue")) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            auto [ec, n] = co_await asio::async_write(socket_, asio::buffer(go_on), no_throw);
            if (ec)
                co_return false;
        }
        auto [ec, n] = co_await http::async_read(socket_, buffer_, p, no_throw);
        if (ec)
            co_return co_await refuse(ec);
        received += n;
    }
    reading_ = false;
    server_.counted().transferred(received, 0);
    at_leisure(); // while it waits for its answer; that has a timeout of its own
    request r = p.release();
    keep_alive_ = r.keep_alive();
    co_return co_await serve(r);
}

/// What could not be read as a request. Answered where the client may still read.
asio::awaitable<bool> connection::refuse(error_code ec)
{
    const settings& s = server_.options();
    answer a;
    if (late_ == 408)
        a = error_answer(408, "too_slow",
                         "the request did not arrive within " + std::to_string(s.client_timeout.count()) + " ms");
    else if (late_ == 503)
        a = error_answer(503, "stopping", "the server is stopping");
    else if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
        a = error_answer(431, "header_too_large",
                         "the header has more than " + std::to_string(header_limit) + " bytes");
    else if (ec == http::error::body_limit)
        a = error_answer(413, "too_large", "the body has more than " + std::to_string(s.max_body) + " bytes");
    else if (ec.category() == make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream &&
             ec != http::error::partial_message)
        a = error_answer(400, "bad_request", ec.message());
    else
        co_return false; // it hung up
    co_return co_await refuse(std::move(a));
}

asio::awaitable<bool> connection::refuse(answer a)
{
    reading_ = keep_alive_ = false;
    a.retry = a.status == 503;
    co_await send(std::move(a), "bad");
    co_await linger();
    co_return false;
}

/// Closing at once where something is unread would reset the connection before the client has read its answer.
asio::awaitable<void> connection::linger()
{
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    within(1s);
    for (std::size_t total = 0; total < (8u << 20);) {
        buffer_.clear();
        auto [ec, n] = co_await socket_.async_read_some(buffer_.prepare(64 * 1024), no_throw);
        if (ec)
            break;
        total += n;
    }
    at_leisure();
}

// ---------------------------------------------------------------- answering

asio::awaitable<bool> connection::serve(request& r)
{
    const target t(r);
    const bool head = r.method() == http::verb::head;
    const route* const found = find_route(t.path(), server_.options().demo);
    const std::string_view name = found ? found->path : "other";
    exchange e{*this, server_.work(), r, t};
    answer a;
    std::exception_ptr error;
    try {
        if (!found)
            a = error_answer(404, "not_found", "there is nothing at " + std::string(t.path()));
        else if (r.method() != found->method && !(head && found->method == http::verb::get)) {
            const bool get = found->method == http::verb::get;
            a = error_answer(405, "bad_method", std::string(t.path()) + " wants " + (get ? "GET" : "POST"));
            a.allow = get ? "GET, HEAD" : "POST";
        } else if (found->method == http::verb::post && from_elsewhere(r))
            a = error_answer(403, "forbidden", "this request comes from another site's page");
        else if (found->stream && head)
            a = {.type = found->type, .sized = false}; // what it would stream is not made
        else if (found->stream)
            co_return co_await found->stream(e);
        else
            a = co_await found->reply(e);
    }
    catch (const refusal& refused) {
        a = refused.what;
    }
    catch (...) {
        error = std::current_exception();
    }
    if (error) {
        failure f = explain(error);
        if (f.hung_up) {
            count(name, 499);
            co_return false;
        }
        a = {.status = f.status, .body = std::move(f.body), .retry = f.retry};
    }
    co_return co_await send(std::move(a), name, head);
}

asio::awaitable<bool> connection::send(answer a, std::string_view route, bool head)
{
    http::response<http::string_body> res;
    res.version(version_);
    res.result(a.status);
    res.set(http::field::date, http_date());
    res.set(http::field::content_type, a.type);
    res.set(http::field::cache_control, "no-store");
    if (!a.allow.empty())
        res.set(http::field::allow, a.allow);
    if (a.retry)
        res.set(http::field::retry_after, "1");
    const bool keep_alive = kept();
    res.keep_alive(keep_alive);
    res.body() = std::move(a.body);
    if (a.sized)
        res.prepare_payload();
    count(route, a.status);
    within(server_.options().client_timeout);
    http::response_serializer<http::string_body> serializer(res);
    error_code error;
    std::size_t size = 0;
    if (head)
        std::tie(error, size) = co_await http::async_write_header(socket_, serializer, no_throw);
    else
        std::tie(error, size) = co_await http::async_write(socket_, serializer, no_throw);
    at_leisure();
    server_.counted().transferred(0, size);
    co_return !error && keep_alive;
}

asio::awaitable<void> connection::send_head(http::response_header<> head, bool keep_alive)
{
    http::response<http::empty_body> res(std::move(head));
    res.version(version_);
    res.set(http::field::date, http_date());
    res.set(http::field::cache_control, "no-store");
    res.keep_alive(keep_alive);
    http::response_serializer<http::empty_body> serializer(res);
    within(server_.options().client_timeout);
    const std::size_t n = co_await http::async_write_header(socket_, serializer, asio::use_awaitable);
    at_leisure();
    server_.counted().transferred(0, n);
}

} // namespace offload
