// SPDX-License-Identifier: BSL-1.0
// A ray tracer whose rows are computed in worker processes of this machine, or on the hosts of a cluster; which of them makes no difference to
// the code that renders, nor to the picture.
//
//   settings   the command line
//   scene      what is to be seen
//   render     the task: a row of the picture
//   png_file   the picture, as a file
#include <twat/mp/any_pool.hpp>
#include <twat/mp/cluster.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/progress_bar.hpp>
#include <twat/mp/worker.hpp>

#include <exception>
#include <functional>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "png_file.hpp"
#include "render.hpp"
#include "scene.hpp"
#include "settings.hpp"

namespace {

namespace mp = twat::mp;
using namespace ray_tracer;

// tag::render[]
std::vector<std::string> render(const settings& s)
{
    mp::pool_options options;
    if (s.cluster.empty())
        options.nodes = s.workers;
    else
        mp::use_cluster({.url = s.cluster}); // makes the name "cluster" known
    mp::any_pool pool(s.cluster.empty() ? "processes" : "cluster", options);

    std::vector<int> rows(static_cast<std::size_t>(s.height));
    std::iota(rows.begin(), rows.end(), 0);
    auto bar = mp::progress_bar("rendering");
    const auto row = mp::partial(render_row, sphere_flake(s.width, s.height, s.samples));
    // A row may run again when its host is lost: it depends on nothing but its arguments.
    return pool.with({.retries = 2}).on_progress(std::ref(bar)).map(row, rows);
}
// end::render[]

} // namespace

// tag::main[]
int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);                        // in a worker process this does not return
    if (const auto status = mp::run_if_agent(argc, argv)) // ray_tracer --twat-mp-agent URL
        return *status;
    // end::main[]
    try {
        const settings s = parse(argc, argv);
        if (s.help) {
            std::cout << usage;
            return 0;
        }
        write_png(s.output, s.width, render(s));
        return 0;
    }
    catch (const usage_error& e) {
        std::cerr << "ray_tracer: " << e.what() << "\nray_tracer -h tells the options\n";
    }
    catch (const std::exception& e) {
        std::cerr << "ray_tracer: " << e.what() << '\n';
    }
    return 1;
}
