// SPDX-License-Identifier: BSL-1.0
// The examples that stand in the comments of the public headers, in the order of the headers.
#include <twat/mp.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;

// async_pool.hpp

int square(int x) { return x * x; }
TWAT_MP_REGISTER(square)

asio::awaitable<void> program(mp::async_multi_pool& pool, std::vector<int> inputs)
{
    std::vector<int> squares = co_await pool.map(square, inputs);
}

// bind_to_peer.hpp

std::string thumbnail(const std::string& bytes, int width) { return bytes.substr(0, static_cast<std::size_t>(width)); }

struct connection
{
    asio::local::stream_protocol::socket& socket() { return socket_; }
    asio::local::stream_protocol::socket socket_;
};

asio::awaitable<void> serve(mp::async_multi_pool& pool, connection& stream, std::string bytes, int width)
{
    co_await pool.apply(thumbnail, bytes, width, mp::bind_to_peer(stream.socket(), asio::use_awaitable));
}

// codec.hpp

class colour
{
public:
    explicit colour(std::uint32_t rgb) : rgb_(rgb) {}
    std::uint32_t rgb() const { return rgb_; }

private:
    std::uint32_t rgb_;
};

template <>
struct twat::mp::codec<colour>
{
    static void encode(mp::encoder& out, const colour& value) { out.write(value.rgb()); }
    static colour decode(mp::decoder& in) { return colour(in.read<std::uint32_t>()); }
};

// portable.hpp

int scale(const std::vector<int>& factors, int x) { return factors.front() * x; }

// register_exception.hpp

struct out_of_paper : std::runtime_error { using std::runtime_error::runtime_error; };
const bool known = twat::mp::register_exception<out_of_paper>(); // at namespace scope

int print(int) { throw out_of_paper("tray 2"); }

// register_function.hpp: square is above

int count_words(const std::string& path) { return static_cast<int>(path.size()); }
int compress(int block) { return block; }
void load_model(const std::string&) {}
void sharpen(mp::shared_vector<float>& pixels) { pixels[0] = 1; }
void sharpen(mp::shared_span<float> rows) { rows[0] = 1; }
void fill(mp::shared_vector<float>& pixels) { pixels[1] = 1; }
void use(int) {}
const std::uint64_t seed = 1;
double simulate(double x, double y) { return x - y; }

// philox.hpp

double estimate(std::uint64_t index)
{
    mp::philox4x32 random(seed, index);
    std::normal_distribution<double> noise;
    return simulate(noise(random), noise(random));
}

double area(double side) { return side * side; }
int search(const std::string& text) { return static_cast<int>(text.size()); }

// exceptions.hpp

bool again(std::exception_ptr error, bool run_it_again)
{
    if (mp::code_of(error) == mp::errc::worker_died)
        return run_it_again;
    return false;
}

// stacktrace.hpp

void guarded(void (*f)())
{
    try {
        f();
    }
    catch (const mp::error& e) {
        std::cerr << e.what() << ": " << mp::where_of(std::current_exception()) << '\n';
    }
}

void check(bool good)
{
    if (!good)
        std::abort();
}

asio::awaitable<void> asynchronous()
{
    const auto executor = co_await asio::this_coro::executor;
    mp::async_multi_pool pool(executor, 2);
    const std::vector<int> inputs{1, 2, 3}, xs = inputs, factors{3};
    const std::string path = "file";
    co_await program(pool, inputs);

    connection stream{asio::local::stream_protocol::socket(executor)};
    asio::local::stream_protocol::socket peer(executor);
    asio::local::connect_pair(stream.socket_, peer);
    co_await serve(pool, stream, "bytes", 2);
    {
        int n = co_await pool.apply(count_words, path);
        check(n == 4);
    }
    {
        std::vector<int> squares = co_await pool.map(square, inputs);
        check(squares.at(2) == 9);
    }
    {
        const std::vector<double> shapes{1, 2};
        double sum = co_await pool.reduce(area, std::plus<>(), 0.0, shapes);
        check(sum == 5);
    }
    {
        auto scaled = co_await pool.map(mp::partial(scale, factors), xs);
        check(scaled.at(2) == 9);
    }
    {
        auto squares = pool.imap(square, std::views::iota(0, 1000));
        while (auto value = co_await squares.next())
            use(*value);
    }
    {
        mp::pool_options options{.nodes = 4};
        auto body = [&](mp::async_multi_pool& pool) -> asio::awaitable<int> {
            co_return co_await pool.apply(count_words, path);
        };
        int words = co_await mp::with_pool(options, body);
        check(words == 4);
    }
    {
        auto twice = mp::apmap([](int x) { return x * 2; });
        std::vector<int> w = co_await twice(std::views::iota(0, 10));
        check(w.at(9) == 18);
    }
}

void blocking()
{
    const std::vector<int> inputs{1, 2, 3}, blocks = inputs;
    {
        mp::inline_process_pool pool;
        std::vector<int> squares = pool.map(square, inputs); // a breakpoint in square stops here, with this caller
        check(squares.at(2) == 9 && estimate(1) == estimate(1));
    }
    {
        mp::process_pool pool(4);
        std::vector<int> squares = pool.map(square, inputs);
        check(squares.at(2) == 9);

        // tag::bar[]
        auto bar = mp::progress_bar("compressing");
        pool.with({}).on_progress(std::ref(bar)).map(compress, blocks);
        // end::bar[]

        constexpr auto busy = mp::retry_on([](const std::exception_ptr& error) { return mp::what_of(error) == "busy"; });
        constexpr auto unread = mp::retry_on::type<std::ios_base::failure, std::system_error>();
        auto patient = pool.with({.retry = {.attempts = 5, .backoff = 100ms, .on = mp::retry_on::transient}});
        patient.map(compress, blocks);
        auto quick = pool.with({.hedge_after = 50ms});
        auto quicker = pool.with({.hedge_after = mp::percentile{95}});
        quick.map(compress, blocks);
        quicker.map(compress, blocks);
        pool.with({.retry = {.attempts = 2, .on = busy}}).map(compress, blocks);
        pool.with({.retry = {.attempts = 2, .on = unread}}).map(compress, blocks);

        const auto square_of = square;
        for (int square : pool.imap(square_of, std::views::iota(0, 10)))
            std::cout << square << '\n';

        const std::size_t width = 64, height = 64;
        mp::shared_vector<float> image(width * height);
        fill(image);
        image = pool.apply([](mp::shared_vector<float> pixels) { sharpen(pixels); return pixels; }, std::move(image));
        check(image[0] == 1 && image[1] == 1);
        pool.for_each([](mp::shared_span<float> rows) { sharpen(rows); }, mp::slices(image, 8));
        check(image[width * height / 8] == 1);

        check(pool.apply([](colour c) { return c; }, colour(7)).rgb() == 7);
        const std::vector<double> shapes{1, 2};
        double sum = pool.reduce(area, std::plus<>(), 0.0, shapes);
        check(sum == 5);

        const std::string text = "needle";
        auto answer = pool.submit(search, text);
        if (answer.wait_for(1s) == std::future_status::timeout)
            answer.cancel();

        try {
            pool.apply(print, 1);
            check(false);
        } catch (const out_of_paper&) {
            check(known && !again(std::current_exception(), true));
        }
        guarded([] { throw mp::error(mp::errc::task_timed_out); });
    }
    {
        mp::pool_options options;
        options.initializer = mp::task(load_model, "model.bin");
        mp::process_pool(options).start();
    }
    {
        mp::pool_options options;
        options.on_trace = mp::trace_file("trace.json");
        mp::process_pool(options).map(square, inputs);
    }
    {
        auto square = mp::pmap([](int x) { return x * x; });
        std::vector<int> r = square(std::views::iota(0, 10));
        check(r.at(9) == 81);
    }
    {
        auto cube = mp::imap([](int x) { return x * x * x; });
        for (int c : cube(std::views::iota(0, 5)))
            std::cout << c << '\n';
    }
    {
        auto twice = mp::amap([](int x) { return x * 2; });
        auto later = twice(std::views::iota(0, 10));
        std::vector<int> v = later.get();
        check(v.at(9) == 18);
    }
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    blocking();
    asio::io_context context;
    asio::co_spawn(context, asynchronous(), [](std::exception_ptr e) { if (e) std::rethrow_exception(e); });
    context.run();
}
