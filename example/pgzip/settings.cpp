// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <getopt.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "block.hpp"

namespace pgzip {

const char* const usage =
    "Usage: pgzip [OPTION]... [FILE]...\n"
    "Compresses each FILE to FILE.gz, on all CPUs. Without FILE, or with -, standard input to standard output.\n"
    "\n"
    "  -1 ... -9    fast ... small; 6 unless told\n"
    "  -b SIZE      compress blocks of SIZE bytes, 32K to 512M; 1M unless told\n"
    "  -c           write to standard output, keep FILE\n"
    "  -f           replace an existing FILE.gz; write to a terminal\n"
    "  -h, --help   this text\n"
    "  -k           keep FILE\n"
    "  -o OUTPUT    write to OUTPUT, keep FILE\n"
    "  -p N         use N workers; all CPUs unless told\n"
    "  -q           no progress bar\n"
    "  -t           verify compressed FILEs instead\n"
    "  --threads    compress in threads instead of worker processes\n"
#if defined(PGZIP_CLUSTER)
    "  --cluster URL   compress on the agents at a NATS broker: pgzip --twat-mp-agent URL on each host\n"
#endif
    ;

namespace {

/// A number with K, M or G behind it.
std::size_t parse_size(char option, std::string_view text, std::size_t smallest, std::size_t largest)
{
    std::size_t value = 0;
    const char* const end = text.data() + text.size();
    auto [rest, ec] = std::from_chars(text.data(), end, value);
    int shift = 0;
    if (ec == std::errc() && rest + 1 == end) {
        switch (*rest) {
        case 'k':
        case 'K':
            shift = 10;
            ++rest;
            break;
        case 'm':
        case 'M':
            shift = 20;
            ++rest;
            break;
        case 'g':
        case 'G':
            shift = 30;
            ++rest;
            break;
        }
    }
    if (ec != std::errc() || rest != end || value > largest >> shift || value << shift < smallest)
        throw usage_error("-" + std::string(1, option) + " " + std::string(text) + ": give a number from " +
                          std::to_string(smallest) + " to " + std::to_string(largest));
    return value << shift;
}

} // namespace

settings parse(int argc, char** argv)
{
    constexpr int threads = 256, cluster = 257;
    constexpr std::array<option, 4> long_options{{
        {"threads", no_argument, nullptr, threads},
        {"cluster", required_argument, nullptr, cluster},
        {"help", no_argument, nullptr, 'h'},
        {nullptr, 0, nullptr, 0},
    }};

    settings s;
    bool to_stdout = false;
    for (int c; (c = ::getopt_long(argc, argv, ":123456789b:cfhko:p:qt", long_options.data(), nullptr)) != -1;) {
        switch (c) {
        case 'b': s.block_size = parse_size('b', optarg, window_size, std::size_t(512) << 20); break;
        case 'c': to_stdout = true; break;
        case 'f': s.force = true; break;
        case 'h': s.help = true; break;
        case 'k': s.keep = true; break;
        case 'o': s.output = optarg; break;
        case 'p': s.workers = parse_size('p', optarg, 1, 4096); break;
        case 'q': s.quiet = true; break;
        case 't': s.verify = true; break;
        case threads: s.threads = true; break;
        case cluster:
#if defined(PGZIP_CLUSTER)
            s.cluster = optarg;
            break;
#else
            throw usage_error("--cluster: this pgzip was built without twat::mp_cluster");
#endif
        case ':': throw usage_error("-" + std::string(1, static_cast<char>(optopt)) + " needs a value");
        case '?': throw usage_error("unknown option: " + std::string(argv[optind - 1]));
        default: s.level = c - '0';
        }
    }
    s.files.assign(argv + optind, argv + argc);
    if (s.files.empty())
        s.files.emplace_back("-");
    if (to_stdout && !s.output.empty())
        throw usage_error("-c and -o exclude each other");
    if (!s.output.empty() && s.files.size() > 1)
        throw usage_error("-o takes one FILE");
    if (to_stdout)
        s.output = "-";
    if (!s.output.empty())
        s.keep = true;
    return s;
}

} // namespace pgzip
