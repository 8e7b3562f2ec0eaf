// SPDX-License-Identifier: BSL-1.0
// A parent of tools/cluster-storm, its agents and their workers: operations without a pause, and an account of what became of every task.
//
//   cluster_storm URL LOG FIRST SECONDS SEED
//
// Every task notes its number in the file LOG when it begins; numbers count from FIRST. After SECONDS no operation begins; when all have ended,
// or one has not for three minutes, the account is written. The status is 0 if nothing was lost, answered twice, run too often or hung.
#include <twat/mp/cluster.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../run_log.hpp"

namespace {

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr auto longest = 3min;     // that an operation may take; agents are away for some seconds at most
constexpr std::size_t at_once = 4; // operations
constexpr std::size_t most_retries = 5;

/// Returns what tells its task from all others.
int noted_task(const std::string& log, int task, int milliseconds)
{
    mp::test::run_log::note(log, task);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return -task;
}

class parent
{
public:
    parent(asio::io_context& context, const std::string& url, std::string log, int first, std::chrono::seconds seconds,
           unsigned seed)
        : log_(std::move(log)), first_(first), dice_(seed), until_(clock_type::now() + seconds),
          pool_(context, mp::cluster_options{.url = url, .lease = 1s}), timer_(context)
    {
        for (std::size_t i = 0; i != at_once; ++i)
            begin();
        look();
    }

    /// Writes the account. Returns whether all is as it should be.
    bool report()
    {
        std::size_t values = 0, host_lost = 0, lost = 0, twice = answered_twice_, too_often = 0, wrong = 0;
        std::vector<std::size_t> runs(tasks_.size());
        std::ifstream in(log_);
        for (int number; in >> number;)
            ++runs.at(static_cast<std::size_t>(number - first_));
        for (std::size_t i = 0; i != tasks_.size(); ++i) {
            const task_account& t = tasks_[i];
            values += t.value;
            host_lost += t.host_lost;
            lost += t.answers == 0;
            twice += t.answers > 1;
            too_often += runs[i] > t.retries + 1;
            wrong += t.value && runs[i] == 0;
        }
        std::printf("%zu operations of %zu tasks: %zu values, %zu host_lost; %zu lost, %zu answered twice, %zu run too "
                    "often, %zu wrong, %zu other errors, %zu hung\n",
                    operations_, tasks_.size(), values, host_lost, lost, twice, too_often, wrong + wrong_,
                    other_errors_, hung_);
        return lost + twice + too_often + wrong + wrong_ + other_errors_ + hung_ == 0;
    }

private:
    struct task_account
    {
        std::size_t retries = 0, answers = 0;
        bool value = false, host_lost = false;
    };
    struct operation
    {
        int first, count;
        clock_type::time_point begun = clock_type::now();
        std::size_t answers = 0;
    };

    int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(dice_); }

    void begin()
    {
        const int count = up_to(2) == 0 ? 1 : 1 + up_to(99);
        const auto op = std::make_shared<operation>(first_ + static_cast<int>(tasks_.size()), count);
        mp::call_options options;
        options.retries = up_to(1) == 0 ? 0 : most_retries;
        options.chunk_size = up_to(1) == 0 ? 0 : 1;
        tasks_.resize(tasks_.size() + static_cast<std::size_t>(count), {.retries = options.retries});
        open_.insert(op);
        ++operations_;
        if (count == 1)
            pool_.with(options).apply(noted_task, log_, op->first, up_to(20),
                                      [this, op](std::exception_ptr e, int value) {
                                          answered(*op);
                                          account(op->first, e, value);
                                          end(op);
                                      });
        else {
            std::vector<int> numbers, times;
            for (int i = 0; i != count; ++i) {
                numbers.push_back(op->first + i);
                times.push_back(up_to(20));
            }
            pool_.with(options).try_map(
                mp::partial(noted_task, log_), std::move(numbers), std::move(times),
                [this, op](std::exception_ptr e, std::vector<mp::result<int>> results) {
                    answered(*op);
                    for (int i = 0; i != op->count; ++i) {
                        const auto at = static_cast<std::size_t>(i);
                        if (e || at >= results.size())
                            account(op->first + i, e ? e : std::make_exception_ptr(std::logic_error("no result")), 0);
                        else if (results[at].has_value())
                            account(op->first + i, nullptr, results[at].value());
                        else
                            account(op->first + i, results[at].error(), 0);
                    }
                    end(op);
                });
        }
    }

    void answered(operation& op) { answered_twice_ += ++op.answers > 1; }

    void account(int number, std::exception_ptr error, int value)
    {
        task_account& t = tasks_[static_cast<std::size_t>(number - first_)];
        ++t.answers;
        if (!error) {
            t.value = true;
            wrong_ += value != -number;
            return;
        }
        try {
            std::rethrow_exception(error);
        }
        catch (const mp::host_lost&) {
            t.host_lost = true;
        }
        catch (const std::exception& e) {
            if (other_errors_++ < 10)
                std::fprintf(stderr, "task %d: %s\n", number, e.what());
        }
    }

    void end(const std::shared_ptr<operation>& op)
    {
        open_.erase(op);
        if (clock_type::now() < until_)
            begin();
    }

    void look()
    {
        const auto now = clock_type::now();
        if (now >= until_ && open_.empty()) {
            pool_.join([this](std::exception_ptr) { timer_.cancel(); });
            return;
        }
        for (const auto& op : open_)
            hung_ += now - op->begun > longest;
        if (hung_ != 0) {
            report();
            std::fflush(nullptr);
            std::_Exit(3);
        }
        timer_.expires_after(100ms);
        timer_.async_wait([this](boost::system::error_code) { look(); });
    }

    const std::string log_;
    const int first_;
    std::mt19937 dice_;
    const clock_type::time_point until_;
    mp::async_cluster_pool pool_;
    asio::steady_timer timer_;
    std::vector<task_account> tasks_;
    std::set<std::shared_ptr<operation>> open_;
    std::size_t operations_ = 0, answered_twice_ = 0, wrong_ = 0, other_errors_ = 0, hung_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    if (const auto status = mp::run_if_agent(argc, argv))
        return *status;
    if (argc != 6) {
        std::fprintf(stderr, "usage: %s URL LOG FIRST SECONDS SEED\n", argv[0]);
        return 2;
    }
    asio::io_context context;
    parent one(context, argv[1], argv[2], std::atoi(argv[3]), std::chrono::seconds(std::atoi(argv[4])),
               static_cast<unsigned>(std::atoi(argv[5])));
    context.run();
    return one.report() ? 0 : 1;
}
