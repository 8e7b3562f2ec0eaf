// SPDX-License-Identifier: BSL-1.0
#include "http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "json.hpp"

namespace offload {

namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;
using boost::system::error_code;

namespace {

constexpr std::size_t header_limit = 16 * 1024;
constexpr std::size_t most_connections = 4096;
constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

using request = http::request<http::string_body>;

struct answer
{
    unsigned status = 200;
    std::string body{};
    std::string type = "application/json";
    std::string allow{};
    bool retry = false;
};

answer error_answer(unsigned status, const char* name, const std::string& message)
{
    return {status, json_object().add("error", name).add("message", message).text() + "\n"};
}

std::string_view path_of(const request& r)
{
    const std::string_view target(r.target().data(), r.target().size());
    return target.substr(0, target.find('?'));
}

/// The number behind `NAME=` in the query, or `otherwise`. Nothing, if it is none or out of range.
std::optional<std::uint64_t> query(const request& r, std::string_view name, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most)
{
    std::string_view rest(r.target().data(), r.target().size());
    rest.remove_prefix(std::min(rest.find('?'), rest.size()));
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(pair.size());
        if (!pair.starts_with(name) || pair.size() <= name.size() || pair[name.size()] != '=')
            continue;
        const std::string_view text = pair.substr(name.size() + 1);
        std::uint64_t value = 0;
        const auto [at, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (ec != std::errc() || at != text.data() + text.size() || value < least || value > most)
            return std::nullopt;
        return value;
    }
    return otherwise;
}

std::string query_text(const request& r, std::string_view name)
{
    const std::string_view target(r.target().data(), r.target().size());
    for (std::size_t at = target.find('?'); at != target.npos; at = target.find('&', at + 1)) {
        const std::string_view pair = target.substr(at + 1, target.find('&', at + 1) - at - 1);
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return std::string(pair.substr(name.size() + 1));
    }
    return {};
}

/// A page of another site must not make this server do something in its reader's name.
bool from_elsewhere(const request& r)
{
    const auto origin = r.find(http::field::origin);
    if (origin == r.end())
        return false;
    const std::string_view text(origin->value().data(), origin->value().size());
    const auto host = r[http::field::host];
    return text != "http://" + std::string(host) && text != "https://" + std::string(host);
}

} // namespace

/** A client: its requests one after the other, also where it sends the next ones before it has an answer. */
class connection
{
public:
    connection(http_server& server, tcp::socket socket) : server_(server), stream_(std::move(socket)), buffer_(header_limit + 64 * 1024)
    {
        server_.connections_.insert(this);
        server_.metrics_.connections = server_.connections_.size();
    }
    ~connection()
    {
        server_.connections_.erase(this);
        server_.metrics_.connections = server_.connections_.size();
        if (server_.stopping_ && server_.connections_.empty())
            server_.patience_.cancel();
    }
    connection(const connection&) = delete;

    bool busy() const { return busy_; }
    void close() { stream_.close(); }

    asio::awaitable<void> run()
    {
        error_code ignored;
        stream_.socket().set_option(tcp::no_delay(true), ignored);
        while (co_await one_request())
            ;
    }

private:
    using parser = http::request_parser<http::string_body>;

    /// False: it was the last.
    asio::awaitable<bool> one_request()
    {
        parser p;
        p.header_limit(header_limit);
        p.body_limit(server_.settings_.max_body);
        // Read to its end within the client's time, counted from its first byte; before it, a connection may be idle for longer.
        if (buffer_.size() == 0) {
            stream_.expires_after(4 * server_.settings_.client_timeout);
            auto [ec, n] = co_await stream_.async_read_some(buffer_.prepare(4096), no_throw);
            if (ec)
                co_return false;
            buffer_.commit(n);
        }
        busy_ = true;
        began_ = std::chrono::steady_clock::now();
        stream_.expires_after(server_.settings_.client_timeout);
        auto [header_error, header_size] = co_await http::async_read_header(stream_, buffer_, p, no_throw);
        if (header_error)
            co_return co_await refuse(header_error);
        std::size_t received = header_size;
        if (!p.is_done()) {
            if (beast::iequals(p.get()[http::field::expect], "100-continue")) {
                static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
                auto [ec, n] = co_await asio::async_write(stream_, asio::buffer(go_on), no_throw);
                if (ec)
                    co_return false;
            }
            auto [ec, n] = co_await http::async_read(stream_, buffer_, p, no_throw);
            if (ec)
                co_return co_await refuse(ec);
            received += n;
        }
        server_.metrics_.transferred(received, 0);
        stream_.expires_never(); // while it waits for its answer; that has a timeout of its own
        request r = p.release();
        const bool more = co_await serve(r);
        busy_ = false;
        co_return more && !server_.stopping_;
    }

    /// What could not be read as a request. Where the client may still read, it is told.
    asio::awaitable<bool> refuse(error_code ec)
    {
        answer a;
        if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
            a = error_answer(431, "header_too_large", "the header has more than " + std::to_string(header_limit) + " bytes");
        else if (ec == http::error::body_limit)
            a = error_answer(413, "too_large", "the body has more than " + std::to_string(server_.settings_.max_body) + " bytes");
        else if (ec.category() == make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream &&
                 ec != http::error::partial_message)
            a = error_answer(400, "bad_request", ec.message());
        else
            co_return false; // it hung up, or was too slow
        co_await send(a, 11, false, "bad");
        // Closing at once would reset the connection before the client has read this.
        error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        stream_.expires_after(1s);
        for (std::size_t total = 0; total < (8u << 20);) {
            buffer_.clear();
            auto [read_error, n] = co_await stream_.async_read_some(buffer_.prepare(64 * 1024), no_throw);
            if (read_error)
                break;
            total += n;
        }
        co_return false;
    }

    asio::awaitable<bool> send(const answer& a, unsigned version, bool keep_alive, const std::string& route, bool head = false)
    {
        http::response<http::string_body> res;
        res.version(version);
        res.result(a.status);
        res.set(http::field::content_type, a.type);
        res.set(http::field::cache_control, "no-store");
        if (!a.allow.empty())
            res.set(http::field::allow, a.allow);
        if (a.retry)
            res.set(http::field::retry_after, "1");
        keep_alive = keep_alive && !server_.stopping_;
        res.keep_alive(keep_alive);
        res.body() = a.body;
        res.prepare_payload();
        if (head)
            res.body().clear();
        server_.metrics_.answered(route, a.status, std::chrono::steady_clock::now() - began_);
        stream_.expires_after(server_.settings_.client_timeout);
        http::response_serializer<http::string_body> serializer(res);
        if (head) {
            auto [ec, n] = co_await http::async_write_header(stream_, serializer, no_throw);
            server_.metrics_.transferred(0, n);
            co_return !ec && keep_alive;
        }
        auto [ec, n] = co_await http::async_write(stream_, serializer, no_throw);
        server_.metrics_.transferred(0, n);
        co_return !ec && keep_alive;
    }

    asio::awaitable<bool> serve(request& r)
    {
        const std::string path(path_of(r));
        const bool get = r.method() == http::verb::get || r.method() == http::verb::head;
        const bool post = r.method() == http::verb::post;
        const bool demo = server_.settings_.demo;
        const bool is_get = path == "/" || path == "/ping" || path == "/metrics" || path == "/events" || path == "/primes";
        const bool is_post = path == "/thumbnail" || path == "/hash" ||
                             (demo && (path == "/slow" || path == "/crash" || path == "/kill" || path == "/flood" || path == "/mode"));
        const std::string route = is_get || is_post ? path : "other";
        answer a;
        std::exception_ptr error;
        try {
            if (!is_get && !is_post)
                a = error_answer(404, "not_found", "there is nothing at " + path);
            else if ((is_get && !get) || (is_post && !post)) {
                a = error_answer(405, "bad_method", path + " wants " + (is_get ? "GET" : "POST"));
                a.allow = is_get ? "GET, HEAD" : "POST";
            } else if (is_post && from_elsewhere(r))
                a = error_answer(403, "forbidden", "this request comes from another site's page");
            else if (path == "/events" && r.method() == http::verb::get)
                co_return co_await events();
            else if (path == "/primes")
                co_return co_await primes(r);
            else
                a = co_await route_to(path, r);
        } catch (...) {
            error = std::current_exception();
        }
        if (error) {
            const failure f = explain(error);
            if (f.hung_up) {
                server_.metrics_.answered(route, 499, std::chrono::steady_clock::now() - began_);
                co_return false;
            }
            a = {f.status, f.body};
            a.retry = f.retry;
        }
        co_return co_await send(a, r.version(), r.keep_alive(), route, r.method() == http::verb::head);
    }

    asio::awaitable<answer> route_to(const std::string& path, request& r)
    {
        workshop& work = server_.work_;
        tcp::socket& client = stream_.socket();
        if (path == "/")
            co_return answer{200, std::string(page), "text/html; charset=utf-8"};
        if (path == "/ping")
            co_return answer{200, "{\"ok\":true}\n"};
        if (path == "/metrics")
            co_return answer{200, server_.metrics_.text(work, server_.feed_), "text/plain; version=0.0.4; charset=utf-8"};
        if (path == "/thumbnail") {
            const auto width = query(r, "width", 200, 1, 4096);
            if (!width)
                co_return error_answer(400, "bad_query", "width is a number from 1 to 4096");
            image made = co_await work.thumbnail(client, std::move(r.body()), static_cast<int>(*width));
            co_return answer{200, std::move(made.bytes), made.type};
        }
        if (path == "/hash") {
            const auto rounds = query(r, "rounds", 100'000, 1, 100'000'000);
            if (!rounds)
                co_return error_answer(400, "bad_query", "rounds is a number from 1 to 100000000");
            const std::string digest = co_await work.hash(client, std::move(r.body()), "salt", *rounds);
            co_return answer{200, json_object().add("rounds", *rounds).add("salt", "salt").add("hash", digest).text() + "\n"};
        }
        if (path == "/slow") {
            const auto ms = query(r, "ms", 3000, 1, 600'000);
            if (!ms)
                co_return error_answer(400, "bad_query", "ms is a number from 1 to 600000");
            const int took = co_await work.slow(client, static_cast<int>(*ms));
            co_return answer{200, json_object().add("ms", took).text() + "\n"};
        }
        if (path == "/flood") {
            const auto tasks = query(r, "tasks", 60, 1, 10'000);
            if (!tasks)
                co_return error_answer(400, "bad_query", "tasks is a number from 1 to 10000");
            work.flood(*tasks, [&counted = server_.metrics_](std::chrono::nanoseconds took) { counted.worked(took); });
            co_return answer{202, json_object().add("tasks", *tasks).text() + "\n"};
        }
        if (path == "/crash") {
            if (work.where() != mode::processes)
                co_return error_answer(409, "refused", "the work runs in this very process: it would be the server that dies");
            co_await work.crash(client);
            co_return answer{200, "{}\n"};
        }
        if (path == "/kill") {
            if (work.where() != mode::processes)
                co_return error_answer(409, "refused", "there are no worker processes: it would be the server that dies");
            const int pid = co_await work.kill_one();
            co_return answer{200, json_object().add("killed", pid).text() + "\n"};
        }
        // "/mode"
        const std::string to = query_text(r, "to");
        for (const mode m : {mode::processes, mode::threads, mode::in_loop})
            if (to == name_of(m)) {
                work.go_to(m);
                co_await work.start();
                co_return answer{200, json_object().add("mode", to).text() + "\n"};
            }
        co_return error_answer(400, "bad_query", "to is processes, threads or inline");
    }

    /// Writes pieces of an answer whose length nobody knows yet. An old client gets them without marks and sees the end of the connection.
    asio::awaitable<bool> primes(request& r)
    {
        const auto upto = query(r, "upto", 1'000'000, 0, 1'000'000'000);
        if (!upto) {
            const answer a = error_answer(400, "bad_query", "upto is a number from 0 to 1000000000");
            co_return co_await send(a, r.version(), r.keep_alive(), "/primes");
        }
        const bool chunked = r.version() >= 11;
        const bool keep_alive = chunked && r.keep_alive();
        bool begun = false;
        const auto head = [&]() -> asio::awaitable<void> {
            begun = true;
            http::response<http::empty_body> res;
            res.version(r.version());
            res.result(http::status::ok);
            res.set(http::field::content_type, "text/plain");
            res.keep_alive(keep_alive && !server_.stopping_);
            res.chunked(chunked);
            http::response_serializer<http::empty_body> serializer(res);
            stream_.expires_after(server_.settings_.client_timeout);
            co_await http::async_write_header(stream_, serializer, asio::use_awaitable);
        };
        workshop::text_sink sink = [&](const std::string& text) -> asio::awaitable<void> {
            if (!begun)
                co_await head();
            if (text.empty())
                co_return;
            stream_.expires_after(server_.settings_.client_timeout);
            std::size_t n = 0;
            if (chunked) {
                const auto framed = http::make_chunk(asio::buffer(text));
                n = co_await asio::async_write(stream_, framed, asio::use_awaitable);
            } else {
                n = co_await asio::async_write(stream_, asio::buffer(text), asio::use_awaitable);
            }
            server_.metrics_.transferred(0, n);
            stream_.expires_never();
        };
        std::exception_ptr error;
        try {
            if (r.method() != http::verb::head)
                co_await server_.work_.primes(stream_.socket(), *upto, sink);
            if (!begun)
                co_await head();
            if (chunked && r.method() != http::verb::head) {
                const auto last = http::make_chunk_last();
                co_await asio::async_write(stream_, last, asio::use_awaitable);
            }
        } catch (...) {
            error = std::current_exception();
        }
        if (error && !begun)
            std::rethrow_exception(error); // an answer can still tell
        // Behind the first piece the only way to say that something went wrong is not to end the answer.
        server_.metrics_.answered("/primes", !error ? 200 : explain(error).hung_up ? 499 : 500, std::chrono::steady_clock::now() - began_);
        co_return !error && keep_alive;
    }

    /// Server-sent events: all that happens, ten times a second, until somebody hangs up.
    asio::awaitable<bool> events()
    {
        static constexpr std::string_view head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                                                 "Connection: close\r\n\r\n";
        busy_ = false; // nothing to wait for when the server stops
        server_.metrics_.answered("/events", 200, std::chrono::steady_clock::now() - began_);
        stream_.expires_after(server_.settings_.client_timeout);
        auto [head_error, head_size] = co_await asio::async_write(stream_, asio::buffer(head), no_throw);
        if (head_error)
            co_return false;
        live& feed = server_.feed_;
        std::uint64_t position = feed.end();
        std::string events = feed.present();
        asio::steady_timer pause(stream_.get_executor());
        while (!server_.stopping_) {
            const std::string text = "data: " + json_object()
                                                    .add("now", feed.now())
                                                    .add("mode", name_of(server_.work_.where()))
                                                    .add_raw("figures", server_.metrics_.figures(server_.work_))
                                                    .add_raw("events", events)
                                                    .text() + "\n\n";
            stream_.expires_after(server_.settings_.client_timeout);
            auto [ec, n] = co_await asio::async_write(stream_, asio::buffer(text), no_throw);
            if (ec)
                break;
            server_.metrics_.transferred(0, n);
            pause.expires_after(100ms);
            co_await pause.async_wait(asio::use_awaitable);
            events = feed.since(position);
        }
        co_return false;
    }

    http_server& server_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    bool busy_ = false; // a request has begun to arrive and is not answered
    std::chrono::steady_clock::time_point began_{};
};

// ---------------------------------------------------------------- the server

http_server::http_server(const asio::any_io_executor& executor, const settings& s, workshop& work, live& feed)
    : settings_(s), work_(work), feed_(feed), acceptor_(executor), patience_(executor)
{
    const auto address = asio::ip::make_address(s.address);
    for (unsigned short port = s.port;; ++port) {
        tcp::endpoint endpoint(address, port);
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        error_code ec;
        acceptor_.bind(endpoint, ec);
        if (!ec)
            break;
        acceptor_.close();
        if (ec != asio::error::address_in_use || s.port_given || port >= s.port + 100)
            throw boost::system::system_error(ec, s.address + " port " + std::to_string(port));
    }
    acceptor_.listen();
}

std::string http_server::url() const
{
    const auto endpoint = acceptor_.local_endpoint();
    const std::string host = endpoint.address().to_string();
    return "http://" + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port()) + "/";
}

asio::awaitable<void> http_server::accept()
{
    asio::steady_timer pause(acceptor_.get_executor());
    while (!stopping_) {
        auto [ec, socket] = co_await acceptor_.async_accept(no_throw);
        if (stopping_ || ec == asio::error::operation_aborted)
            co_return;
        if (ec) { // most likely there is no descriptor left: some request will end
            pause.expires_after(50ms);
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        if (connections_.size() >= most_connections)
            continue; // and so closes it
        auto client = std::make_shared<connection>(*this, std::move(socket));
        asio::co_spawn(acceptor_.get_executor(), client->run(), [client](std::exception_ptr) {}); // what it threw concerns its client alone
    }
}

asio::awaitable<void> http_server::stop()
{
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    patience_.expires_after(settings_.stop_timeout);
    for (connection* c : connections_)
        if (!c->busy())
            c->close();
    if (!connections_.empty())
        co_await patience_.async_wait(no_throw);
    if (connections_.empty())
        co_return;
    work_.terminate();
    for (connection* c : connections_)
        c->close();
}

} // namespace offload
