// SPDX-License-Identifier: BSL-1.0
// C8: much more than memory and disk should hold at a time.
#include <twat/mp/cluster.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "broker.hpp"
#include "run_log.hpp"
#include "sanitizers.hpp"

namespace twat::mp::test {
namespace {

constexpr std::size_t mib = std::size_t(1) << 20;
constexpr bool has_sanitizer = TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN;

/// Bytes of a value in /proc/PID/status.
std::size_t memory_of(int pid, const std::string& name)
{
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string key; in >> key; in.ignore(1000, '\n'))
        if (std::size_t kib = 0; key == name + ":" && in >> kib)
            return kib * 1024;
    return 0;
}

/// Looks again and again at what may grow, until it goes.
class watched
{
public:
    watched(const broker& server, int agent)
        : begun_with_(memory_of(::getpid(), "VmRSS")), agent_(agent), thread_([this, &server] {
              while (!through_) {
                  disk_ = std::max(disk_, server.bytes_on_disk());
                  parent_ = std::max(parent_, memory_of(::getpid(), "VmRSS"));
                  std::this_thread::sleep_for(std::chrono::milliseconds(10));
              }
          })
    {}
    ~watched() { stop(); }

    void stop()
    {
        through_ = true;
        if (thread_.joinable())
            thread_.join();
    }
    // Once it is stopped:
    std::size_t disk() const { return disk_ / mib; }
    std::size_t parent() const { return (parent_ - std::min(parent_, begun_with_)) / mib; }
    std::size_t agent() const { return memory_of(agent_, "VmHWM") / mib; }

private:
    const std::size_t begun_with_;
    const int agent_;
    std::atomic<bool> through_{false};
    std::uintmax_t disk_ = 0;
    std::size_t parent_ = 0;
    std::thread thread_;
};

/// Texts of 200 bytes, made when they are asked for.
class texts
{
public:
    explicit texts(int count) : count_(count) {}

    class iterator
    {
    public:
        using value_type = std::string;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        iterator() = default;
        explicit iterator(int at) : at_(at) {}
        std::string operator*() const
        {
            std::string text = std::to_string(at_);
            text.resize(200, ' ');
            return text;
        }
        iterator& operator++()
        {
            ++at_;
            return *this;
        }
        void operator++(int) { ++at_; }
        bool operator==(const iterator&) const = default;

    private:
        int at_ = 0;
    };

    iterator begin() const { return iterator(0); }
    iterator end() const { return iterator(count_); }

private:
    int count_;
};

int number_in(const std::string& text) { return std::stoi(text); }

std::string echo(const std::string& text) { return text; }

BOOST_AUTO_TEST_SUITE(test_cluster_volume)

BOOST_AUTO_TEST_CASE(a_million_small_tasks_take_no_more_room_than_their_window)
{
    constexpr int tasks = 1'000'000; // 200 MB of arguments
    const broker server;
    const started_program agent = start_agent(server.url(), 2);
    cluster_pool pool(cluster_options{.url = server.url()});
    pool.start();
    watched room(server, agent.pid());
    const auto begin = std::chrono::steady_clock::now();
    int expected = 0;
    for (const int x : pool.imap(number_in, texts(tasks)))
        if (x != expected++)
            BOOST_FAIL("the value at " << expected - 1 << " is " << x);
    BOOST_TEST(expected == tasks);
    room.stop();
    BOOST_TEST_MESSAGE("C8: a million tasks with 200 bytes each in "
                       << since(begin).count() << " ms; parent +" << room.parent() << " MiB, agent " << room.agent()
                       << " MiB, broker's disk " << room.disk() << " MiB");
    BOOST_TEST(room.disk() < 100u);
    if (!has_sanitizer) { // which keep what is freed
        BOOST_TEST(room.parent() < 100u);
        BOOST_TEST(room.agent() < 150u);
    }
}

BOOST_AUTO_TEST_CASE(values_of_64_mib_travel_both_ways)
{
    const broker server;
    const started_program agent = start_agent(server.url(), 2);
    cluster_pool pool(cluster_options{.url = server.url(), .max_message_size = 65 * mib});
    pool.start();
    watched room(server, agent.pid());
    std::string large(64 * mib, 'x');
    large[12345678] = 'y';
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i != 3; ++i)
        BOOST_TEST((pool.apply(echo, large) == large));
    room.stop();
    BOOST_TEST_MESSAGE("C8: 3 values of 64 MiB there and back in " << since(begin).count() << " ms; parent +"
                                                                   << room.parent() << " MiB, agent " << room.agent()
                                                                   << " MiB, broker's disk " << room.disk() << " MiB");
    BOOST_TEST(room.disk() < 10u); // they do not go through it
    if (!has_sanitizer)
        BOOST_TEST(room.parent() < 640u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
