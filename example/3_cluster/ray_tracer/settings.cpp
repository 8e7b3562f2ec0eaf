// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <charconv>
#include <string_view>

namespace ray_tracer {

const char* const usage =
    "Usage: ray_tracer [OPTION]...\n"
    "Renders a picture, its rows on all CPUs of this machine or on the hosts of a cluster.\n"
    "\n"
    "  --cluster URL   on the agents at a NATS broker: ray_tracer --twat-mp-agent URL on each host\n"
    "  -o FILE         write the picture to FILE; picture.png unless told\n"
    "  --samples N     N x N rays through each pixel, 1 to 64; 4 unless told\n"
    "  --size W H      pixels, 1 to 16384 each; 960 540 unless told\n"
    "  -p N            use N workers of this machine; all CPUs unless told\n"
    "  -h, --help      this text\n";

namespace {

int number(const std::string& option, std::string_view text, int least, int most)
{
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data(), end, value);
    if (ec != std::errc() || rest != end || value < least || value > most)
        throw usage_error(option + " " + std::string(text) + ": give a number from " + std::to_string(least) + " to " +
                          std::to_string(most));
    return value;
}

} // namespace

settings parse(int argc, char** argv)
{
    settings s;
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        const auto value = [&]() -> std::string {
            if (++i == argc)
                throw usage_error(option + " needs a value");
            return argv[i];
        };
        if (option == "-h" || option == "--help")
            s.help = true;
        else if (option == "-o")
            s.output = value();
        else if (option == "--cluster")
            s.cluster = value();
        else if (option == "--samples")
            s.samples = number(option, value(), 1, 64);
        else if (option == "--size") {
            s.width = number(option, value(), 1, 16384);
            s.height = number(option, value(), 1, 16384);
        } else if (option == "-p")
            s.workers = static_cast<std::size_t>(number(option, value(), 1, 4096));
        else
            throw usage_error("unknown option: " + option);
    }
    if (!s.cluster.empty() && s.workers != 0)
        throw usage_error("-p and --cluster exclude each other: each agent has its own --nodes");
    return s;
}

} // namespace ray_tracer
