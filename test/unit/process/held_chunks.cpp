// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/held_chunks.hpp"

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <vector>

#include "memory_page.hpp"
#include "shm/claim.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_process_held_chunks)

struct fixture
{
    static constexpr page_layout layout{4, 1024};
    memory_file file{layout};
    shared_page page = shared_page::create(file.fd, layout);
    held_chunks held{page};

    std::shared_ptr<chunk> make(chunk_id id, std::size_t count, bool timed = false)
    {
        auto made = std::make_shared<chunk>();
        made->id = id;
        made->count = count;
        made->timeout = duration(timed ? 1 : 0);
        return made;
    }

    record value(chunk_id id, std::uint32_t position) { return {id, position, record_kind::value, {}}; }
    record end(chunk_id id) { return {id, 0, record_kind::ended, {}}; }
    void mark(chunk_id id, std::uint32_t position)
    {
        page.slot(held.find(id)->slot).mark = pack(mark_state{chunk_tag(id), position});
    }
};

bool is_protocol_error(const error& e) { return e.code() == errc::protocol_error; }

BOOST_FIXTURE_TEST_CASE(slots_are_used_again, fixture)
{
    for (chunk_id id = 1; id <= 20; ++id) {
        held.add(*make(id, 1));
        held.add(*make(id + 100, 1));
        held.note(value(id, 0));
        held.note(end(id));
        held.note(value(id + 100, 0));
        held.note(end(id + 100));
    }
    BOOST_TEST(held.empty());
}

BOOST_FIXTURE_TEST_CASE(only_outcomes_that_can_be_are_taken, fixture)
{
    held.add(*make(7, 3));
    BOOST_CHECK_EXCEPTION(held.note(value(8, 0)), error, is_protocol_error); // another chunk
    BOOST_CHECK_EXCEPTION(held.note(value(7, 1)), error, is_protocol_error); // out of order
    held.note(value(7, 0));
    BOOST_CHECK_EXCEPTION(held.note(value(7, 0)), error, is_protocol_error); // twice
    BOOST_CHECK_EXCEPTION(held.note(end(7)), error, is_protocol_error);      // too early
    held.note(value(7, 1));
    held.note(value(7, 2));
    BOOST_CHECK_EXCEPTION(held.note(value(7, 3)), error, is_protocol_error); // too many
    held.note(end(7));
    BOOST_CHECK_EXCEPTION(held.note(end(7)), error, is_protocol_error);
}

BOOST_FIXTURE_TEST_CASE(values_are_noted_by_the_row, fixture)
{
    held.add(*make(7, 5));
    const auto row = [](std::uint32_t position, std::uint32_t count) {
        return record{7, position, record_kind::value, {}, count};
    };
    held.note(row(0, 3));
    BOOST_TEST(held.outstanding() == 2u);
    BOOST_CHECK_EXCEPTION(held.note(row(2, 2)), error, is_protocol_error); // one of them twice
    BOOST_CHECK_EXCEPTION(held.note(row(3, 3)), error, is_protocol_error); // too many
    BOOST_CHECK_EXCEPTION(held.note(row(3, static_cast<std::uint32_t>(-3))), error, is_protocol_error);
    held.note(row(3, 2));
    held.note(end(7));
    BOOST_TEST(held.empty());
}

BOOST_FIXTURE_TEST_CASE(a_recalled_chunk_ends_after_what_was_claimed, fixture)
{
    held.add(*make(7, 30));
    claim_tasks(page.slot(0).claim, 7, 30, 2);
    BOOST_TEST(held.recall(7).value() == 2u);
    BOOST_TEST(held.outstanding() == 2u);
    held.note(value(7, 0));
    BOOST_TEST(held.recall(7).value() == 2u);
    held.note(value(7, 1));
    BOOST_CHECK_EXCEPTION(held.note(value(7, 2)), error, is_protocol_error);
    held.note(end(7));
    BOOST_TEST(held.recall(7).value() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_claim_that_cannot_be_is_noticed, fixture)
{
    held.add(*make(7, 3));
    page.slot(0).claim = pack(claim_state{7, 4, false});
    BOOST_TEST(!held.recall(7));
    page.slot(0).claim = pack(claim_state{8, 1, false});
    BOOST_TEST(!held.recall(7));
    page.slot(0).claim = pack(claim_state{7, 2, false});
    BOOST_TEST(held.recall(7).value() == 2u);
    page.slot(0).claim = pack(claim_state{7, 3, true}); // more than it was left with
    BOOST_TEST(!held.recall(7));
}

BOOST_FIXTURE_TEST_CASE(after_a_death_the_marked_task_has_begun, fixture)
{
    held.add(*make(7, 10));
    held.add(*make(8, 10));
    BOOST_TEST(held.begun().empty()); // no mark
    mark(7, 0);
    BOOST_TEST(held.begun().size() == 1u);
    held.note(value(7, 0));
    BOOST_TEST(held.begun().empty()); // finished
    mark(7, 1);
    auto begun = held.begun();
    BOOST_REQUIRE(begun.size() == 1u);
    BOOST_TEST(begun[0].id == 7u);
    BOOST_TEST(begun[0].position == 1u);
    page.slot(0).mark = pack(mark_state{99, 1}); // left by an earlier chunk
    BOOST_TEST(held.begun().empty());
    mark(7, 10); // beyond its end
    BOOST_TEST(held.begun().empty());
}

BOOST_FIXTURE_TEST_CASE(the_worker_s_times_are_told_if_they_can_be, fixture)
{
    const time_point now = detail::clock::now();
    const auto at = [&](std::int64_t before) { return now.time_since_epoch().count() - before; };
    held.add(*make(7, 3));
    BOOST_TEST(!held.times(7, now));
    BOOST_TEST(held.come_to(now).empty());
    page.slot(0).since = at(50);
    BOOST_REQUIRE(held.times(7, now));
    BOOST_TEST(!held.times(7, now)->until);
    page.slot(0).until = at(20);
    BOOST_TEST((held.times(7, now)->since == now - duration(50)));
    BOOST_TEST((held.times(7, now)->until == now - duration(20)));
    BOOST_TEST(held.come_to(now).size() == 1u);
    page.slot(0).until = at(-1); // lies
    BOOST_TEST((held.times(7, now)->until == now));
    page.slot(0).until = at(70);
    BOOST_TEST((held.times(7, now)->until == now - duration(50)));
    page.slot(0).since = std::numeric_limits<std::int64_t>::min();
    BOOST_TEST(!held.times(7, now));
    for (std::uint32_t i = 0; i < 3; ++i)
        held.note(value(7, i));
    held.note(end(7));
    page.slot(0).since = at(50);
    held.add(*make(8, 1)); // in the same slot
    BOOST_TEST(!held.times(8, now));
}

BOOST_FIXTURE_TEST_CASE(of_coroutines_the_one_on_the_cpu_is_the_culprit, fixture)
{
    for (const chunk_id id : {7, 8, 9}) {
        const auto work = make(id, 1);
        work->coroutine = true;
        held.add(*work);
        mark(id, 0);
    }
    const auto culprits = [&] {
        std::vector<chunk_id> found;
        for (const auto& begun : held.begun())
            if (begun.culprit)
                found.push_back(begun.id);
        return found;
    };
    BOOST_TEST(held.begun().size() == 3u);
    BOOST_TEST(culprits().empty()); // all were suspended
    page.on_cpu() = pack(mark_state{chunk_tag(8), 0});
    BOOST_TEST(culprits() == std::vector<chunk_id>{8});
    BOOST_TEST(held.begun().size() == 3u);
    page.on_cpu() = pack(mark_state{chunk_tag(6), 0}); // what an earlier one has left behind
    BOOST_TEST(culprits().empty());
    held.abandon(8);
    page.on_cpu() = pack(mark_state{chunk_tag(8), 0});
    BOOST_TEST(held.begun().size() == 2u);
    BOOST_TEST(culprits().empty());
}

BOOST_FIXTURE_TEST_CASE(abandoned_chunks_are_nobody_s, fixture)
{
    held.add(*make(7, 1));
    held.abandon(7);
    held.abandon(7);
    BOOST_TEST(!held.empty());
    BOOST_TEST(!held.wanted());
    BOOST_TEST(held.abandoned() == 1u);
    mark(7, 0);
    BOOST_TEST(held.begun().empty());
    held.note(value(7, 0));
    held.note(end(7));
    BOOST_TEST(held.empty());
    BOOST_TEST(held.abandoned() == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_running_task_is_told_if_it_is_timed, fixture)
{
    const time_point now = detail::clock::now();
    held.add(*make(7, 3, true));
    held.add(*make(8, 3, false));
    BOOST_TEST(!held.running(7, now));
    mark(7, 0);
    mark(8, 0);
    BOOST_TEST(!held.running(7, now)); // not stamped yet
    page.slot(0).begun_at = now.time_since_epoch().count() - 5;
    page.slot(1).begun_at = now.time_since_epoch().count() - 5;
    BOOST_REQUIRE(held.running(7, now));
    BOOST_TEST(held.running(7, now)->position == 0u);
    BOOST_TEST((held.running(7, now)->begun == now - duration(5)));
    BOOST_TEST(!held.running(8, now));
    page.slot(0).begun_at = std::numeric_limits<std::int64_t>::max(); // a lie
    BOOST_TEST((held.running(7, now)->begun == now));
    held.note(value(7, 0));
    BOOST_TEST(!held.running(7, now));
}

BOOST_AUTO_TEST_SUITE_END()
