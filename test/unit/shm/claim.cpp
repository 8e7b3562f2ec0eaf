// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "shm/claim.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_wire_claim)

BOOST_AUTO_TEST_CASE(words_keep_what_was_packed)
{
    for (const claim_state& state : {claim_state{0, 0, false}, claim_state{0x7fff'ffff, 0xffff'ffff, true},
                                     claim_state{12, 34, false}, claim_state{12, 34, true}})
        BOOST_TEST((unpack_claim(pack(state)) == state));
    BOOST_TEST(!unpack_mark(0));
    for (const mark_state& state : {mark_state{0, 0}, mark_state{0x7fff'ffff, 0xffff'ffff}, mark_state{1, 2}})
        BOOST_TEST((unpack_mark(pack(state)) == state));
}

BOOST_AUTO_TEST_CASE(tasks_are_claimed_in_order_until_none_is_left)
{
    std::atomic<std::uint64_t> word{pack(claim_state{7, 0, false})};
    const auto first = claim_tasks(word, 7, 20, 16);
    BOOST_TEST(first.begin == 0u);
    BOOST_TEST(first.count == 16u);
    const auto second = claim_tasks(word, 7, 20, 16);
    BOOST_TEST(second.begin == 16u);
    BOOST_TEST(second.count == 4u);
    BOOST_TEST(claim_tasks(word, 7, 20, 16).count == 0u);
}

BOOST_AUTO_TEST_CASE(nothing_is_claimed_of_a_recalled_chunk)
{
    std::atomic<std::uint64_t> word{pack(claim_state{7, 0, false})};
    claim_tasks(word, 7, 20, 3);
    BOOST_TEST(recall_tasks(word, 7, 20).value() == 3u);
    BOOST_TEST(recall_tasks(word, 7, 20).value() == 3u); // and may be recalled again
    BOOST_TEST(claim_tasks(word, 7, 20, 1).count == 0u);
}

BOOST_AUTO_TEST_CASE(a_slot_of_another_chunk_gives_nothing)
{
    std::atomic<std::uint64_t> word{pack(claim_state{8, 0, false})};
    BOOST_TEST(claim_tasks(word, 7, 20, 1).count == 0u);
    BOOST_TEST(!recall_tasks(word, 7, 20));
    word = pack(claim_state{7, 21, false});
    BOOST_TEST(!recall_tasks(word, 7, 20));
}

BOOST_AUTO_TEST_CASE(each_task_goes_to_one_side_only)
{
    // The worker claims while the parent recalls: what the worker ran is exactly what the parent was told.
    constexpr std::uint32_t count = 200;
    for (std::uint32_t round = 1; round <= 300; ++round) {
        std::atomic<std::uint64_t> word{pack(claim_state{round, 0, false})};
        std::atomic<bool> started{false};
        std::uint32_t ran = 0;
        bool in_order = true;
        std::thread worker([&] {
            for (;;) {
                const auto taken = claim_tasks(word, round, count, 1 + round % 4);
                started.store(true, std::memory_order_relaxed);
                if (taken.count == 0)
                    return;
                in_order = in_order && taken.begin == ran;
                ran += taken.count;
            }
        });
        while (!started.load(std::memory_order_relaxed))
            std::this_thread::yield();
        const auto kept = recall_tasks(word, round, count);
        worker.join();
        BOOST_TEST(in_order);
        BOOST_TEST(kept.value() == ran);
    }
}

BOOST_AUTO_TEST_SUITE_END()
