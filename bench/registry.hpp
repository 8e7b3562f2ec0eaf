// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_REGISTRY_HPP
#define TWAT_MP_BENCH_REGISTRY_HPP

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// How much work a measurement does: all of it, or a little to see that it works.
struct effort
{
    bool quick = false;

    /// `full`, or less of it.
    template <class T>
    T of(T full, T little) const
    {
        return quick ? little : full;
    }
};

/// What one run of a row found.
struct measured
{
    double value = 0;                                 ///< In the unit of the workload.
    std::vector<std::pair<std::string, double>> more; ///< Named figures beside it.
};

enum class role {
    floor, ///< The same work with bare means of the system.
    peer,  ///< Another library.
    ours,
};

/// One way to do the work of a workload.
struct row
{
    std::string workload; ///< An id of `workloads`.
    std::string name;
    role what = role::ours;
    std::function<measured(const effort&)> run;
    std::string baseline{}; ///< The row that the value is divided by; empty: the goal is for the value itself.
    double goal = 0;        ///< At most this, or at least, where more is better; 0: none.
};

struct workload
{
    const char* id;
    const char* title;
    const char* unit;
    bool less_is_better;
    /// What the chart shows it beside: a row, "1" for an ideal that is 1, or "" to leave it out.
    const char* reference;
};

/// All workloads, in the order of the report.
const std::vector<workload>& workloads();

/** The rows of one program.

    Each row runs in a process of its own, so that none inherits the warmed heap, the threads or the children of another.
*/
class registry
{
public:
    void add(row r) { rows_.push_back(std::move(r)); }
    /// Notes that rows are left out, and why.
    void skip(std::string why) { skipped_.push_back(std::move(why)); }

    /** The rest of `main`: `--list`, or `[--quick] WORKLOAD ROW`, which prints one line of JSON.

        @return The exit status: 2 for arguments that name no row.
    */
    int run(int argc, char** argv) const;

private:
    void list() const;

    std::vector<row> rows_;
    std::vector<std::string> skipped_;
};

} // namespace bench

#endif
