// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/obituary.hpp"

#include <twat/mp/error.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>
#include <vector>

#include "memory_page.hpp"
#include "shm/claim.hpp"
#include "start/worker_marker.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_process_obituary)

struct fixture
{
    static constexpr page_layout layout{4, 1024};
    memory_file file{layout};
    shared_page page = shared_page::create(file.fd, layout);
    held_chunks held{page};
    worker_identity worker{.id = 7, .node = 2, .pid = 4711};
    worker_settings settings;
    obituary notes;

    fixture() { settings.parcels = std::make_shared<const parcel_maker>(pool_options(), task()); }

    last_state state(worker_action how, life_phase life, exit_status status = {.known = true})
    {
        return {.worker = worker, .settings = settings, .held = &held, .how = how, .life = life, .status = status};
    }

    /// Gives it a chunk, of which it has begun the first task.
    void begin(chunk_id id, std::uint64_t first, bool coroutine = false)
    {
        auto made = std::make_shared<chunk>();
        made->id = id;
        made->count = 3;
        made->first = first;
        made->coroutine = coroutine;
        held.add(*made);
        page.slot(held.find(id)->slot).mark = pack(mark_state{chunk_tag(id), 0});
    }
};

constexpr exit_status killed{.known = true, .signal = SIGKILL}, crashed{.known = true, .signal = SIGSEGV};
exit_status left(int code) { return {.known = true, .code = code}; }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class E>
E caught(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    }
    catch (const E& e) {
        return e;
    }
}

BOOST_FIXTURE_TEST_CASE(a_start_that_ended_early_is_explained, fixture)
{
    struct row
    {
        const char* what;
        life_phase life;
        exit_status status;
        bool foreign;
        const char* says;
        bool hopeless;
    };
    for (const row& r : std::vector<row>{
             {"main() of this program came to its end", life_phase::start, left(0), false,
              "ended with exit code 0 before it was ready; does main() call", true},
             {"main() of another program did", life_phase::start, left(0), true, "does main() call", false},
             {"nobody knows how it ended", life_phase::start, {}, false, " ended before it was ready", false},
             {"its libraries could not be loaded", life_phase::start, left(127), false, "does main() call", false},
             {"main() went past the worker", life_phase::start, left(not_entered_exit_code), true,
              "did not enter the worker", true},
             {"it could not make its part of the handshake", life_phase::start, left(bad_start_exit_code), false,
              "before it was ready", false},
             {"it was killed", life_phase::start, killed, false, "was killed by signal 9 (Killed) before", false},
             {"its initializer called exit", life_phase::initializer, left(3), false,
              "exit code 3 while it ran the initializer", false},
         })
        BOOST_TEST_CONTEXT(r.what)
        {
            settings.executable = r.foreign ? "/other" : "";
            const worker_end end = notes.write(state(worker_action::report_failed_start, r.life, r.status));
            BOOST_TEST(contains(end.why, r.says), end.why);
            BOOST_TEST(contains(end.why, "worker 2 (pid 4711)"), end.why);
            BOOST_TEST(end.hopeless == r.hopeless);
            BOOST_TEST(!end.in_task);
            BOOST_TEST(!end.initializer_failed);
            BOOST_TEST((caught<error>(end.cause()).code() == errc::worker_start_failed));
        }
}

BOOST_FIXTURE_TEST_CASE(what_was_noted_of_a_start_says_more, fixture)
{
    notes.start_failed(errc::worker_start_failed, "no memory", obituary::outlook::may_pass);
    BOOST_TEST(!notes.write(state(worker_action::report_failed_start, life_phase::start, left(0))).hopeless);
    notes.start_failed(errc::build_mismatch, "another build", obituary::outlook::hopeless);
    notes.launch_failed();
    const worker_end end = notes.write(state(worker_action::report_failed_start, life_phase::start, left(0)));
    BOOST_TEST(end.why == "another build");
    BOOST_TEST(end.hopeless);
    BOOST_TEST(end.launch_failed);
    BOOST_TEST((caught<error>(end.cause()).code() == errc::build_mismatch));
}

BOOST_FIXTURE_TEST_CASE(a_plain_death_is_the_fault_of_the_task_that_ran, fixture)
{
    begin(1, 10);
    const worker_end end = notes.write(state(worker_action::report_death, life_phase::idle, crashed));
    BOOST_TEST_REQUIRE(end.loss.begun.size() == 1u);
    BOOST_TEST(end.loss.begun[0].culprit);
    BOOST_TEST(end.in_task);
    BOOST_TEST(!end.loss.expected);
    const auto of_task = caught<worker_died>(end.loss.explain(10));
    BOOST_TEST(of_task.signal() == SIGSEGV);
    BOOST_TEST(!contains(of_task.what(), "max_memory_per_child"));
    BOOST_TEST(contains(end.why, "4711"), end.why);
}

BOOST_FIXTURE_TEST_CASE(an_idle_one_takes_nothing_along, fixture)
{
    const worker_end end = notes.write(state(worker_action::report_death, life_phase::idle, killed));
    BOOST_TEST(end.loss.begun.empty());
    BOOST_TEST(!end.in_task);
    BOOST_TEST((end.phase == life_phase::idle));
    BOOST_TEST(notes.write(state(worker_action::report_end, life_phase::finalizer)).loss.expected);
}

BOOST_FIXTURE_TEST_CASE(memory_that_was_refused_is_named, fixture)
{
    settings.max_memory = 1000;
    last_state idle = state(worker_action::report_death, life_phase::idle, crashed);
    idle.memory_refused = true;
    BOOST_TEST(!contains(notes.write(idle).why, "max_memory_per_child")); // it was not at a task
    begin(1, 0);
    struct row
    {
        bool refused;
        exit_status status;
        const char* says;
    };
    for (const row& r :
         {row{true, crashed, "an allocation had failed in it"}, row{true, killed, "an allocation had failed"},
          row{false, crashed, "an allocation may have failed"}, row{false, left(1), "an allocation may have failed"}}) {
        last_state at_work = state(worker_action::report_death, life_phase::idle, r.status);
        at_work.memory_refused = r.refused;
        BOOST_TEST(contains(notes.write(at_work).why, r.says), notes.write(at_work).why);
    }
    for (const exit_status& status : {killed, left(0), exit_status{}})
        BOOST_TEST(
            !contains(notes.write(state(worker_action::report_death, life_phase::idle, status)).why, "allocation"));
}

BOOST_FIXTURE_TEST_CASE(blame_is_not_put_on_tasks_that_only_were_there, fixture)
{
    begin(1, 0);
    notes.killed_because("it was killed for a test", obituary::blame::nobody);
    const worker_end end = notes.write(state(worker_action::report_death, life_phase::idle, killed));
    BOOST_TEST(!end.loss.begun.at(0).culprit);
    BOOST_TEST(contains(end.why, "it was killed for a test"), end.why);
    BOOST_TEST((end.phase == life_phase::call));
}

BOOST_FIXTURE_TEST_CASE(malformed_data_is_the_fault_of_all_that_it_was_at, fixture)
{
    begin(1, 0, true); // a suspended coroutine
    notes.killed_because("for another reason", obituary::blame::nobody);
    notes.sent_malformed("one");
    notes.sent_malformed("two");
    const worker_end end = notes.write(state(worker_action::report_death, life_phase::idle, killed));
    BOOST_TEST(end.why == "worker 2 (pid 4711) sent malformed data: one");
    BOOST_TEST(end.loss.begun.at(0).culprit);
    BOOST_TEST((caught<error>(end.loss.explain(0)).code() == errc::protocol_error));
    BOOST_TEST((caught<error>(end.cause()).code() == errc::protocol_error));
}

BOOST_FIXTURE_TEST_CASE(one_that_never_got_anything_can_be_explained, fixture)
{
    last_state nothing = state(worker_action::report_failed_start, life_phase::start, {});
    nothing.held = nullptr;
    notes.launch_failed();
    const worker_end end = notes.write(nothing);
    BOOST_TEST(end.launch_failed);
    BOOST_TEST(end.loss.begun.empty());
    BOOST_TEST(!end.why.empty());
}

BOOST_AUTO_TEST_SUITE_END()
