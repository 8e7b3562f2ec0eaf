// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "worker/server.hpp"

#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "served_worker.hpp"
#include "shm/claim.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

int square(int i) { return i * i; }
int square_unless_7(int i) { return i == 7 ? throw std::domain_error("seven") : i * i; }

int odd_ones_throw(int i)
{
    if (i % 2 == 1)
        throw std::domain_error("odd: " + std::to_string(i));
    return i;
}

int throws_an_int(int i) { throw i; }

std::string text_of_length(int n) { return std::string(static_cast<std::size_t>(n), 'x'); }

std::atomic<int> hooks_run{0};
void count_hook() { ++hooks_run; }
void failing_hook() { throw std::runtime_error("no database"); }

int wait_for_stop(int i)
{
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, this_task::stop_token(), [] { return false; });
    return this_task::stop_token().stop_requested() ? i : -1;
}

std::atomic<int> wait_for_go{0};

int wait_until_let_go(int i)
{
    wait_for_go.wait(0);
    return i;
}

std::int64_t remaining_ns(int) { return this_task::remaining().count(); }

std::size_t my_index(int) { return this_worker::is_worker() ? this_worker::index() : 999; }

asio::awaitable<int> async_square(int i)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms * i);
    co_await timer.async_wait(asio::use_awaitable);
    co_return i* i;
}

asio::awaitable<std::string> async_text_of_length(int n)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return text_of_length(n);
}

asio::awaitable<int> never(int i)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return i;
}

asio::awaitable<int> ignores_cancellation(int i)
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return i;
}

asio::awaitable<int> throws_at_once(int i)
{
    throw std::domain_error(std::to_string(i));
    co_return i;
}

std::atomic<int> background_steps{0};

int leaves_work_behind(int i)
{
    asio::co_spawn(
        this_worker::executor(),
        []() -> asio::awaitable<void> {
            for (int step = 0; step < 3; ++step) {
                asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
                co_await timer.async_wait(asio::use_awaitable);
                ++background_steps;
                background_steps.notify_all();
            }
        },
        asio::detached);
    return i;
}

template <class E>
std::string what_of(const outcome& from)
{
    try {
        from.rethrow();
    }
    catch (const E& e) {
        return e.what();
    }
    return "not thrown";
}

template <class E>
errc code_of(const E& rethrow)
{
    try {
        rethrow();
    }
    catch (const error& e) {
        return static_cast<errc>(e.code().value());
    }
    return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_worker_server)

BOOST_AUTO_TEST_CASE(handshake_says_who_it_is)
{
    served_worker worker;
    worker.say_hello(served_worker::usual_hello());
    std::string bytes;
    BOOST_TEST((worker.await_frame(&bytes).type == frame_type::hello_reply));
    const auto reply = read_hello_reply(std::as_bytes(std::span(bytes)));
    BOOST_TEST(reply.version == protocol_version);
    BOOST_TEST(reply.pid == ::getpid());
    BOOST_TEST(reply.nonce == served_worker::nonce);
    BOOST_TEST(reply.build == build_id());
    BOOST_TEST((worker.await_frame().type == frame_type::ready));
}

BOOST_AUTO_TEST_CASE(nothing_runs_for_another_build_or_version)
{
    const byte_buffer hook = encode_function<void (*)()>(&count_hook, false).bytes;
    for (const bool other_version : {false, true}) {
        hooks_run = 0;
        served_worker worker;
        auto hello = served_worker::usual_hello();
        hello.initializer = hello.finalizer = hook.bytes();
        if (other_version)
            hello.version = protocol_version + 1;
        else
            hello.build = "another build";
        worker.say_hello(hello);
        BOOST_TEST((worker.await_frame().type == frame_type::hello_reply));
        worker.send({frame_type::goodbye, 0, 0, 0});
        BOOST_TEST((worker.await_frame().type == frame_type::farewell)); // and no `ready` before it
        worker.join();
        BOOST_TEST(hooks_run == 0);
    }
}

BOOST_AUTO_TEST_CASE(another_program_need_not_be_the_same_build)
{
    served_worker worker;
    auto hello = served_worker::usual_hello();
    hello.build = "another build";
    hello.foreign = true;
    worker.get_ready(hello);
}

BOOST_AUTO_TEST_CASE(initializer_and_finalizer_run_once)
{
    const byte_buffer hook = encode_function<void (*)()>(&count_hook, false).bytes;
    hooks_run = 0;
    served_worker worker;
    auto hello = served_worker::usual_hello();
    hello.initializer = hello.finalizer = hook.bytes();
    worker.get_ready(hello);
    BOOST_TEST(hooks_run == 1);
    worker.send({frame_type::goodbye, 0, 0, 0});
    BOOST_TEST((worker.await_frame().type == frame_type::farewell));
    worker.join();
    BOOST_TEST(hooks_run == 2);
    BOOST_TEST(!worker.thrown);
}

BOOST_AUTO_TEST_CASE(a_failing_initializer_is_told)
{
    const byte_buffer hook = encode_function<void (*)()>(&failing_hook, false).bytes;
    served_worker worker;
    auto hello = served_worker::usual_hello();
    hello.initializer = hook.bytes();
    worker.say_hello(hello);
    worker.await_frame();
    outcome failure{record_kind::failure, 0, {}};
    BOOST_TEST((worker.await_frame(&failure.bytes).type == frame_type::initializer_failed));
    BOOST_TEST(what_of<std::runtime_error>(failure) == "no database");
}

BOOST_AUTO_TEST_CASE(work_before_the_handshake_is_refused)
{
    served_worker worker;
    worker.send({frame_type::ping, 0, 0, 0});
    worker.join();
    BOOST_CHECK_THROW(std::rethrow_exception(worker.thrown), error);
    BOOST_TEST(!current_worker()); // nobody answers from it any more
}

BOOST_AUTO_TEST_CASE(garbage_ends_the_worker)
{
    served_worker worker;
    const std::string garbage(100, '?');
    worker.connection().send(std::as_bytes(std::span(garbage)), {});
    worker.join();
    BOOST_CHECK_THROW(std::rethrow_exception(worker.thrown), error);
    BOOST_TEST(!current_worker()); // nobody answers from it any more
}

BOOST_AUTO_TEST_CASE(the_end_of_the_parent_ends_the_worker)
{
    served_worker worker;
    worker.get_ready();
    worker.hang_up();
    worker.join();
    BOOST_TEST(!worker.thrown);
}

struct ready_worker : served_worker
{
    ready_worker() { get_ready(); }
};

BOOST_FIXTURE_TEST_CASE(values_come_back_in_order, ready_worker)
{
    send_function<int>(1, &square);
    std::vector<int> inputs(1000);
    for (int i = 0; i < 1000; ++i)
        inputs[static_cast<std::size_t>(i)] = i;
    const auto outcomes = await_chunk(send_tasks(1, inputs));
    BOOST_REQUIRE(outcomes.size() == 1000u);
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(outcomes[static_cast<std::size_t>(i)].value<int>() == i * i);
}

BOOST_FIXTURE_TEST_CASE(chunks_may_wait_behind_each_other, ready_worker)
{
    send_function<int>(1, &square);
    send_function<int>(2, &my_index);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 30; ++i)
        ids.push_back(send_tasks(i % 2 == 0 ? 1u : 2u, std::vector<int>{i, i}));
    for (int i = 0; i < 30; ++i) {
        const auto outcomes = await_chunk(ids[static_cast<std::size_t>(i)]);
        BOOST_REQUIRE(outcomes.size() == 2u);
        if (i % 2 == 0)
            BOOST_TEST(outcomes[1].value<int>() == i * i);
        else
            BOOST_TEST(outcomes[1].value<std::size_t>() == 3u);
    }
}

BOOST_FIXTURE_TEST_CASE(a_task_that_throws_fails_alone, ready_worker)
{
    send_function<int>(1, &odd_ones_throw);
    const auto outcomes = await_chunk(send_tasks(1, std::vector<int>{0, 1, 2, 3}));
    BOOST_REQUIRE(outcomes.size() == 4u);
    BOOST_TEST(outcomes[0].value<int>() == 0);
    BOOST_TEST(what_of<std::domain_error>(outcomes[1]) == "odd: 1");
    BOOST_TEST(outcomes[2].value<int>() == 2);
    BOOST_TEST(what_of<std::domain_error>(outcomes[3]) == "odd: 3");
}

BOOST_FIXTURE_TEST_CASE(whatever_is_thrown_the_worker_lives, ready_worker)
{
    send_function<int>(1, &throws_an_int);
    BOOST_CHECK_THROW(await_chunk(send_tasks(1, std::vector<int>{42})).at(0).rethrow(), remote_error);
    send_function<int>(2, &square);
    BOOST_TEST(await_chunk(send_tasks(2, std::vector<int>{5})).at(0).value<int>() == 25);
}

BOOST_FIXTURE_TEST_CASE(the_exception_tells_the_input, ready_worker)
{
    send_function<int>(1, &odd_ones_throw);
    const auto outcomes = await_chunk(send_tasks(1, std::vector<int>{17}));
    try {
        outcomes.at(0).rethrow();
    }
    catch (const boost::exception& e) {
        const std::string* input = boost::get_error_info<errinfo_input>(e);
        BOOST_REQUIRE(input);
        BOOST_TEST(input->find("17") != std::string::npos);
    }
}

BOOST_FIXTURE_TEST_CASE(arguments_that_cannot_be_read_fail_their_task, ready_worker)
{
    send_function<int>(1, &square);
    auto tasks = std::make_unique<encoded_payload>();
    add_task(*tasks, 7);
    tasks->end_task(); // no bytes
    add_task(*tasks, 8);
    const auto work = make_chunk(1, std::move(tasks));
    send_chunk(*work);
    const auto outcomes = await_chunk(work->id);
    BOOST_REQUIRE(outcomes.size() == 3u);
    BOOST_TEST((code_of([&] { outcomes[1].rethrow(); }) == errc::decode_failed));
    BOOST_TEST(outcomes[2].value<int>() == 64);
}

BOOST_FIXTURE_TEST_CASE(a_function_that_is_not_here_fails_its_tasks, ready_worker)
{
    const std::string nonsense = "no function";
    send({frame_type::function, 0, 1, 0}, std::as_bytes(std::span(nonsense)));
    const auto outcomes = await_chunk(send_tasks(1, std::vector<int>{1, 2}));
    BOOST_REQUIRE(outcomes.size() == 2u);
    BOOST_CHECK_THROW(outcomes[0].rethrow(), error);
    BOOST_CHECK_THROW(outcomes[1].rethrow(), error);
}

BOOST_FIXTURE_TEST_CASE(large_values_keep_their_place_among_small_ones, ready_worker)
{
    send_function<int>(1, &text_of_length);
    const std::vector<int> lengths{1, 300'000, 2, 5'000'000, 0, 300'000, 100};
    const auto outcomes = await_chunk(send_tasks(1, lengths));
    BOOST_REQUIRE(outcomes.size() == lengths.size());
    for (std::size_t i = 0; i < lengths.size(); ++i)
        BOOST_TEST(outcomes[i].value<std::string>().size() == static_cast<std::size_t>(lengths[i]));
}

BOOST_FIXTURE_TEST_CASE(outcomes_that_fill_the_ring_go_on_over_the_socket, ready_worker)
{
    send_function<int>(1, &text_of_length);
    const auto outcomes = await_chunk(send_tasks(1, std::vector<int>(3000, 500)));
    BOOST_TEST(outcomes.size() == 3000u);
}

BOOST_FIXTURE_TEST_CASE(a_value_beyond_the_limit_fails_its_task, ready_worker)
{
    send_function<int>(1, &text_of_length);
    const auto outcomes = await_chunk(send_tasks(1, std::vector<int>{static_cast<int>(max_message_size), 3}));
    BOOST_REQUIRE(outcomes.size() == 2u);
    BOOST_TEST((code_of([&] { outcomes[0].rethrow(); }) == errc::message_too_large));
    BOOST_TEST(outcomes[1].value<std::string>() == "xxx");
}

BOOST_FIXTURE_TEST_CASE(what_was_recalled_does_not_run, ready_worker)
{
    send_function<int>(1, &wait_until_let_go);
    wait_for_go = 0;
    const auto first = send_tasks(1, std::vector<int>{1, 2, 3});
    const auto second = send_tasks(1, std::vector<int>{4, 5});
    BOOST_TEST(held().recall(second).value() == 0u);
    std::size_t kept = held().recall(first).value(); // 0 or 1: it may not have begun
    BOOST_TEST(kept <= 1u);
    wait_for_go = 1;
    wait_for_go.notify_all();
    BOOST_TEST(await_chunk(first).size() == kept);
    BOOST_TEST(await_chunk(second).empty());
}

BOOST_FIXTURE_TEST_CASE(a_stop_request_reaches_the_running_task, ready_worker)
{
    send_function<int>(1, &wait_for_stop);
    const auto id = send_tasks(1, std::vector<int>{7});
    held().request_stop(id);
    server().look_at_stop_requests(); // whether the task has begun or not
    BOOST_TEST(await_chunk(id).at(0).value<int>() == 7);
}

BOOST_FIXTURE_TEST_CASE(a_stop_request_does_not_reach_another_chunk, ready_worker)
{
    send_function<int>(1, &square);
    const auto first = send_tasks(1, std::vector<int>{1});
    held().request_stop(first);
    await_chunk(first);
    send_function<int>(2, [](int) { return this_task::stop_token().stop_requested(); });
    const auto second = send_tasks(2, std::vector<int>{1});
    server().look_at_stop_requests();
    BOOST_TEST(!await_chunk(second).at(0).value<bool>());
}

BOOST_FIXTURE_TEST_CASE(tasks_know_how_long_they_have, ready_worker)
{
    send_function<int>(1, &remaining_ns);
    const auto remaining = [&](duration timeout, duration deadline) {
        auto tasks = std::make_unique<encoded_payload>();
        add_task(*tasks, 0);
        const auto work = make_chunk(1, std::move(tasks));
        work->timeout = timeout;
        if (deadline != duration::zero())
            work->deadline = detail::clock::now() + deadline;
        send_chunk(*work);
        return duration(await_chunk(work->id).at(0).value<std::int64_t>());
    };
    BOOST_TEST((remaining(0s, 0s) == duration::max()));
    const duration of_timeout = remaining(1h, 2h), of_deadline = remaining(2h, 1h);
    BOOST_TEST((of_timeout > 30min && of_timeout <= 1h));
    BOOST_TEST((of_deadline > 30min && of_deadline <= 1h));
}

BOOST_FIXTURE_TEST_CASE(a_timed_task_is_stamped, ready_worker)
{
    send_function<int>(1, &wait_until_let_go);
    wait_for_go = 0;
    auto tasks = std::make_unique<encoded_payload>();
    add_task(*tasks, 5);
    add_task(*tasks, 6);
    const auto work = make_chunk(1, std::move(tasks));
    work->timeout = 1h;
    const auto before = detail::clock::now();
    send_chunk(*work);
    std::optional<backend::running_task> running;
    while (!(running = held().running(work->id, detail::clock::now())))
        std::this_thread::yield();
    BOOST_TEST(running->position == 0u);
    BOOST_TEST((running->begun >= before && running->begun <= detail::clock::now()));
    BOOST_TEST(held().recall(work->id).value() == 1u); // timed tasks are claimed one at a time
    wait_for_go = 1;
    wait_for_go.notify_all();
    BOOST_TEST(await_chunk(work->id).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(coroutines_run_side_by_side, ready_worker)
{
    send_function<int>(1, &async_square);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 16; ++i)
        ids.push_back(send_tasks(1, std::vector<int>{16 - i}, true));
    for (int i = 0; i < 16; ++i)
        BOOST_TEST(await_chunk(ids[static_cast<std::size_t>(i)]).at(0).value<int>() == (16 - i) * (16 - i));
    // and then plain ones, and coroutines again
    send_function<int>(2, &square);
    BOOST_TEST(await_chunk(send_tasks(2, std::vector<int>{5})).at(0).value<int>() == 25);
    BOOST_TEST(await_chunk(send_tasks(1, std::vector<int>{3}, true)).at(0).value<int>() == 9);
}

BOOST_FIXTURE_TEST_CASE(coroutines_leave_the_socket_blocking, ready_worker)
{
    // Otherwise a worker that waits for its next task would spin.
    send_function<int>(1, &async_square);
    BOOST_TEST(await_chunk(send_tasks(1, std::vector<int>{3}, true)).at(0).value<int>() == 9);
    BOOST_TEST((::fcntl(worker_end(), F_GETFL) & O_NONBLOCK) == 0);
}

BOOST_FIXTURE_TEST_CASE(coroutines_may_return_more_than_the_socket_holds, ready_worker)
{
    // The parent does not read before the worker has filled ring and socket.
    send_function<int>(1, &async_text_of_length);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 60; ++i)
        ids.push_back(send_tasks(1, std::vector<int>{60'000}, true));
    std::this_thread::sleep_for(300ms);
    for (const std::uint64_t id : ids)
        BOOST_TEST(await_chunk(id).at(0).value<std::string>().size() == 60'000u);
}

BOOST_FIXTURE_TEST_CASE(a_coroutine_may_throw_before_it_waits, ready_worker)
{
    send_function<int>(1, &throws_at_once);
    BOOST_TEST(what_of<std::domain_error>(await_chunk(send_tasks(1, std::vector<int>{8}, true)).at(0)) == "8");
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_coroutine_is_aborted, ready_worker)
{
    send_function<int>(1, &never);
    const auto first = send_tasks(1, std::vector<int>{1}, true);
    const auto second = send_tasks(1, std::vector<int>{2}, true);
    send({frame_type::cancel, 0, second, 0});
    try {
        await_chunk(second).at(0).rethrow();
        BOOST_ERROR("nothing was thrown");
    }
    catch (const boost::system::system_error& e) {
        BOOST_TEST((e.code() == asio::error::operation_aborted));
    }
    BOOST_TEST(!has_ended(first));
    send({frame_type::cancel, 0, 99, 0}); // nobody
    send({frame_type::ping, 0, 5, 0});
    BOOST_TEST(await_frame().id == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_coroutine_that_is_cancelled_before_it_begins_is_aborted, ready_worker)
{
    send_function<int>(1, &wait_until_let_go);
    send_function<int>(2, &never);
    wait_for_go = 0;
    send_tasks(1, std::vector<int>{1});
    const auto cancelled = send_tasks(2, std::vector<int>{2}, true);
    send({frame_type::cancel, 0, cancelled, 0});
    wait_for_go = 1; // and now it reads both at once
    wait_for_go.notify_all();
    try {
        await_chunk(cancelled).at(0).rethrow();
        BOOST_ERROR("nothing was thrown");
    }
    catch (const boost::system::system_error& e) {
        BOOST_TEST((e.code() == asio::error::operation_aborted));
    }
}

BOOST_FIXTURE_TEST_CASE(plain_tasks_wait_for_coroutines_but_not_for_abandoned_ones, ready_worker)
{
    send_function<int>(1, &ignores_cancellation);
    send_function<int>(2, &square);
    const auto stuck = send_tasks(1, std::vector<int>{1}, true);
    const auto plain = send_tasks(2, std::vector<int>{4});
    send({frame_type::ping, 0, 5, 0});
    BOOST_TEST((await_frame().type == frame_type::pong)); // the chunk was read, and waits
    BOOST_TEST(!has_ended(plain));
    send({frame_type::cancel, frame_flag_abandon, stuck, 0});
    BOOST_TEST(await_chunk(plain).at(0).value<int>() == 16);
    BOOST_TEST(!has_ended(stuck));
    BOOST_TEST(await_chunk(send_tasks(2, std::vector<int>{5})).at(0).value<int>() == 25);
}

BOOST_FIXTURE_TEST_CASE(work_that_a_task_leaves_behind_goes_on, ready_worker)
{
    send_function<int>(1, &leaves_work_behind);
    background_steps = 0;
    await_chunk(send_tasks(1, std::vector<int>{1}));
    for (int seen = background_steps; seen < 3; seen = background_steps)
        background_steps.wait(seen);
    send_function<int>(2, &square);
    BOOST_TEST(await_chunk(send_tasks(2, std::vector<int>{4})).at(0).value<int>() == 16);
}

BOOST_FIXTURE_TEST_CASE(a_recalled_coroutine_does_not_start, ready_worker)
{
    send_function<int>(1, &never);
    auto tasks = std::make_unique<encoded_payload>();
    add_task(*tasks, 1);
    const auto work = make_chunk(1, std::move(tasks));
    work->coroutine = true;
    const std::uint32_t slot = held().add(*work).slot;
    held().recall(work->id);
    chunk_message message;
    message.op = 1;
    message.count = 1;
    message.slot = slot;
    message.coroutine = true;
    byte_buffer bytes;
    const auto& sent = static_cast<const encoded_payload&>(*work->tasks);
    write_chunk_start(bytes, work->id, message, sent);
    connection().send(bytes.bytes(), sent.bytes());
    BOOST_TEST(await_chunk(work->id).empty());
}

BOOST_FIXTURE_TEST_CASE(goodbye_does_not_wait_for_coroutines, ready_worker)
{
    send_function<int>(1, &never);
    send_tasks(1, std::vector<int>{1}, true);
    send({frame_type::goodbye, 0, 0, 0});
    BOOST_TEST((await_frame().type == frame_type::farewell));
    join();
    BOOST_TEST(!thrown);
}

BOOST_FIXTURE_TEST_CASE(exceptions_among_thousands_of_values_keep_their_place, ready_worker)
{
    send_function<int>(1, &square_unless_7);
    std::vector<int> inputs(5000);
    for (int i = 0; i < 5000; ++i)
        inputs[static_cast<std::size_t>(i)] = i % 50;
    const std::vector<outcome> outcomes = await_chunk(send_tasks(1, inputs));
    BOOST_REQUIRE(outcomes.size() == inputs.size());
    bool sound = true;
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        const int input = inputs[i];
        sound = sound && outcomes[i].position == i;
        if (input == 7)
            sound = sound && outcomes[i].kind == record_kind::failure;
        else
            sound = sound && outcomes[i].kind == record_kind::value && outcomes[i].value<int>() == input * input;
    }
    BOOST_TEST(sound);
    BOOST_CHECK_THROW(outcomes[7].rethrow(), std::domain_error);
}

BOOST_FIXTURE_TEST_CASE(a_forgotten_function_is_gone, ready_worker)
{
    send_function<int>(1, &square);
    send({frame_type::forget, 0, 1, 0});
    send_tasks(1, std::vector<int>{1});
    join();
    BOOST_CHECK_THROW(std::rethrow_exception(thrown), error);
}

BOOST_AUTO_TEST_SUITE_END()
