// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/worker_fsm.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace twat::mp::detail;
using in = worker_input;
using act = worker_action;

BOOST_AUTO_TEST_SUITE(test_process_worker_fsm)

struct step
{
    worker_input input;
    worker_action expected;
};

void play(const char* what, const std::vector<step>& steps)
{
    BOOST_TEST_CONTEXT(what)
    {
        worker_fsm fsm;
        for (const step& s : steps)
            BOOST_TEST(static_cast<int>(fsm.resume(s.input)) == static_cast<int>(s.expected));
    }
}

BOOST_AUTO_TEST_CASE(each_life_ends_with_one_report)
{
    play("in order", {{in::launched, act::greet},
                      {in::greeted, act::none},
                      {in::ready, act::take_work},
                      {in::leave, act::say_goodbye},
                      {in::lost, act::report_end},
                      {in::lost, act::none}});
    play("dies at work", {{in::launched, act::greet},
                          {in::greeted, act::none},
                          {in::ready, act::take_work},
                          {in::lost, act::report_death},
                          {in::kill, act::none}});
    play("launch failed", {{in::lost, act::report_failed_start}});
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
    play("nonsense at work", {{in::launched, act::greet},
                              {in::greeted, act::none},
                              {in::ready, act::take_work},
                              {in::unfit, act::kill},
                              {in::lost, act::report_death}});
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

BOOST_AUTO_TEST_CASE(what_comes_out_of_turn_is_nonsense)
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

BOOST_AUTO_TEST_SUITE_END()
