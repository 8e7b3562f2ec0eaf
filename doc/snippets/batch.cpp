// SPDX-License-Identifier: BSL-1.0
// A batch job: many inputs, of which some are bad, and a table of results at the end.
// tag::batch[]
#include <twat/mp.hpp>

#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace mp = twat::mp;

struct measurement // plain structs travel as they are
{
    std::string name;
    std::vector<double> samples;
};

double mean(const measurement& m) // runs in a worker process
{
    if (m.samples.empty())
        throw std::invalid_argument(m.name + " has no samples");
    double sum = 0;
    for (double x : m.samples)
        sum += x;
    return sum / static_cast<double>(m.samples.size());
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv); // the workers are this program, started again
    const std::vector<measurement> inputs{{"first", {1, 2, 3}}, {"second", {}}, {"third", {4, 6}}};

    mp::process_pool pool; // a process for each CPU
    mp::progress_bar bar("measuring");
    mp::call_options options;
    options.retries = 1; // once more, if the machine killed the worker
    const auto results = pool.with(options).on_progress(std::ref(bar)).try_map(mean, inputs);

    for (std::size_t i = 0; i < results.size(); ++i) {
        std::cout << inputs[i].name << ": ";
        try {
            std::cout << results[i].value() << '\n';
        } catch (const std::exception& e) {
            std::cout << e.what() << '\n';
        }
    }
}
// end::batch[]
