// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/worker_session.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;
using in = worker_input;
using act = worker_action;
using phase = worker_phase;

BOOST_AUTO_TEST_SUITE(test_process_worker_session)

struct step
{
    worker_input input;
    worker_action expected;
};

worker_session play(const char* what, const std::vector<step>& steps)
{
    worker_session session;
    BOOST_TEST_CONTEXT(what)
    {
        std::size_t number = 0;
        for (const step& s : steps)
            BOOST_TEST_CONTEXT("step " << ++number)
        BOOST_TEST(session.resume(s.input) == s.expected);
    }
    return session;
}

/// One that was brought into this phase.
worker_session in_phase(worker_phase wanted)
{
    worker_session session;
    const auto go = [&](std::initializer_list<worker_input> inputs) {
        for (const worker_input input : inputs)
            session.resume(input);
    };
    switch (wanted) {
    case phase::launching: break;
    case phase::greeting: go({in::launched}); break;
    case phase::initializing: go({in::launched, in::greeted}); break;
    case phase::ready: go({in::launched, in::greeted, in::ready}); break;
    case phase::leaving: go({in::launched, in::greeted, in::ready, in::leave}); break;
    case phase::condemned: go({in::launched, in::greeted, in::ready, in::unfit}); break;
    case phase::dismissed: go({in::launched, in::greeted, in::ready, in::kill}); break;
    case phase::dead: go({in::exited, in::lost}); break;
    }
    BOOST_TEST_REQUIRE(session.phase() == wanted);
    return session;
}

constexpr worker_phase all_phases[] = {phase::launching, phase::greeting,  phase::initializing, phase::ready,
                                       phase::leaving,   phase::condemned, phase::dismissed,    phase::dead};

BOOST_AUTO_TEST_CASE(each_life_ends_with_one_report)
{
    play("in order", {{in::launched, act::greet},
                      {in::greeted, act::none},
                      {in::ready, act::take_work},
                      {in::leave, act::say_goodbye},
                      {in::hung_up, act::none},
                      {in::exited, act::none},
                      {in::lost, act::report_end},
                      {in::lost, act::none}});
    play("dies at work", {{in::launched, act::greet},
                          {in::greeted, act::none},
                          {in::ready, act::take_work},
                          {in::exited, act::none},
                          {in::lost, act::report_death},
                          {in::kill, act::none}});
    play("launch failed", {{in::exited, act::none}, {in::lost, act::report_failed_start}});
    play("dies in the handshake", {{in::launched, act::greet}, {in::lost, act::report_failed_start}});
    play("another build", {{in::launched, act::greet},
                           {in::unfit, act::kill},
                           {in::unfit, act::none},
                           {in::lost, act::report_failed_start}});
    play("initializer failed", {{in::launched, act::greet},
                                {in::greeted, act::none},
                                {in::unfit, act::kill},
                                {in::lost, act::report_failed_start}});
    play("replaced", {{in::launched, act::greet},
                      {in::greeted, act::none},
                      {in::ready, act::take_work},
                      {in::kill, act::kill},
                      {in::kill, act::none},
                      {in::lost, act::report_end}});
    play("malformed data at work", {{in::launched, act::greet},
                                    {in::greeted, act::none},
                                    {in::ready, act::take_work},
                                    {in::unfit, act::kill},
                                    {in::lost, act::report_death}});
    play("malformed data, and then the pool ends it", {{in::launched, act::greet},
                                                       {in::greeted, act::none},
                                                       {in::ready, act::take_work},
                                                       {in::unfit, act::kill},
                                                       {in::kill, act::none},
                                                       {in::lost, act::report_end}});
    play("malformed data, and then it is asked to leave", {{in::launched, act::greet},
                                                           {in::greeted, act::none},
                                                           {in::ready, act::take_work},
                                                           {in::unfit, act::kill},
                                                           {in::leave, act::none},
                                                           {in::lost, act::report_death}});
    play("malformed data in its farewell", {{in::launched, act::greet},
                                            {in::greeted, act::none},
                                            {in::ready, act::take_work},
                                            {in::leave, act::say_goodbye},
                                            {in::unfit, act::kill},
                                            {in::lost, act::report_end}});
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_not_ready_is_not_asked_but_killed)
{
    play("before its launch is known",
         {{in::leave, act::kill}, {in::launched, act::none}, {in::lost, act::report_end}});
    play("in the handshake",
         {{in::launched, act::greet}, {in::leave, act::kill}, {in::greeted, act::none}, {in::lost, act::report_end}});
    play("in the initializer", {{in::launched, act::greet},
                                {in::greeted, act::none},
                                {in::leave, act::kill},
                                {in::ready, act::none},
                                {in::lost, act::report_end}});
}

BOOST_AUTO_TEST_CASE(what_comes_out_of_turn_is_malformed)
{
    play("ready before the greeting", {{in::launched, act::greet}, {in::ready, act::kill}});
    play("greets twice", {{in::launched, act::greet}, {in::greeted, act::none}, {in::greeted, act::kill}});
    play("ready twice",
         {{in::launched, act::greet}, {in::greeted, act::none}, {in::ready, act::take_work}, {in::ready, act::kill}});
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_too_slowly_can_be_killed)
{
    play("kill while leaving", {{in::launched, act::greet},
                                {in::greeted, act::none},
                                {in::ready, act::take_work},
                                {in::leave, act::say_goodbye},
                                {in::leave, act::none},
                                {in::kill, act::kill},
                                {in::lost, act::report_end}});
}

BOOST_AUTO_TEST_CASE(one_that_hangs_up_has_to_end_unless_it_does_already)
{
    for (const worker_phase at : all_phases)
        BOOST_TEST_CONTEXT(at)
        {
            worker_session session = in_phase(at);
            const bool lives =
                at == phase::launching || at == phase::greeting || at == phase::initializing || at == phase::ready;
            BOOST_TEST(session.resume(in::hung_up) == (lives ? act::await_exit : act::none));
            BOOST_TEST(session.resume(in::hung_up) == act::none);
            BOOST_TEST(session.phase() == at);
        }
    worker_session session = in_phase(phase::ready);
    session.resume(in::exited);
    BOOST_TEST(session.resume(in::hung_up) == act::none);
}

BOOST_AUTO_TEST_CASE(something_is_expected_of_all_that_are_not_idle_or_being_killed)
{
    struct row
    {
        worker_phase at;
        bool idle, busy;
    };
    for (const row& r :
         {row{phase::launching, true, true}, row{phase::greeting, true, true}, row{phase::initializing, true, true},
          row{phase::ready, false, true}, row{phase::leaving, true, true}, row{phase::condemned, false, false},
          row{phase::dismissed, false, false}, row{phase::dead, false, false}})
        BOOST_TEST_CONTEXT(r.at)
        {
            worker_session session = in_phase(r.at);
            BOOST_TEST(session.expects(false) == r.idle);
            BOOST_TEST(session.expects(true) == r.busy);
            worker_session silent = session;
            silent.resume(in::hung_up);
            BOOST_TEST(!silent.expects(true));
            session.resume(in::exited);
            BOOST_TEST(!session.expects(true));
        }
}

BOOST_AUTO_TEST_CASE(an_answer_is_expected_until_the_last_ping_is_answered)
{
    worker_session session = in_phase(phase::ready);
    BOOST_TEST((session.ping_due() == time_point::max()));
    const std::uint64_t first = session.ping(time_point(1s)), second = session.ping(time_point(2s));
    BOOST_TEST(first != second);
    BOOST_TEST(session.expects(false));
    BOOST_TEST((session.ping_due() == time_point(2s)));
    session.pong(first);
    BOOST_TEST((session.ping_due() == time_point(2s)));
    session.pong(second);
    BOOST_TEST((session.ping_due() == time_point::max()));
    BOOST_TEST(!session.expects(false));
}

BOOST_AUTO_TEST_CASE(its_life_goes_on_from_what_it_had_reached)
{
    const auto life = [](worker_session session, std::initializer_list<worker_input> inputs) {
        for (const worker_input input : inputs)
            session.resume(input);
        return session.life();
    };
    BOOST_TEST((life({}, {}) == life_phase::start));
    BOOST_TEST((life({}, {in::launched}) == life_phase::start));
    BOOST_TEST((life({}, {in::launched, in::unfit}) == life_phase::start));
    BOOST_TEST((life({}, {in::launched, in::greeted}) == life_phase::initializer));
    BOOST_TEST((life({}, {in::launched, in::greeted, in::kill}) == life_phase::initializer));
    BOOST_TEST((life(in_phase(phase::ready), {}) == life_phase::idle));
    BOOST_TEST((life(in_phase(phase::ready), {in::unfit}) == life_phase::idle));
    BOOST_TEST((life(in_phase(phase::leaving), {}) == life_phase::finalizer));
    BOOST_TEST((life(in_phase(phase::leaving), {in::kill}) == life_phase::idle));
}

BOOST_AUTO_TEST_CASE(one_that_was_given_up_may_exit_after_all)
{
    worker_session session = in_phase(phase::dismissed);
    BOOST_TEST(!session.is_over());
    session.resume(in::given_up);
    BOOST_TEST(session.is_over());
    BOOST_TEST(session.is_given_up());
    session.resume(in::exited);
    BOOST_TEST(session.has_exited());
    BOOST_TEST(!session.is_given_up());
    session.resume(in::given_up); // is late
    BOOST_TEST(session.has_exited());
}

BOOST_AUTO_TEST_SUITE_END()
