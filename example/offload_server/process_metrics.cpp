// SPDX-License-Identifier: BSL-1.0
#include "prometheus.hpp"

#include <twat/mp/version.hpp>

#include <boost/version.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <system_error>

namespace offload {
namespace {

std::string file(const char* path)
{
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Field number `n` of /proc/self/stat, from 3 on: behind the program's name, which may have spaces in it.
double stat_field(const std::string& stat, int n)
{
    std::istringstream in(stat.substr(stat.rfind(')') + 1));
    std::string field;
    for (int i = 3; i <= n; ++i)
        in >> field;
    return field.empty() ? 0 : std::stod(field);
}

/// When the system started, in seconds since 1970.
double boot_time()
{
    const std::string stat = file("/proc/stat");
    const auto at = stat.find("\nbtime ");
    return at == stat.npos ? 0 : std::stod(stat.substr(at + 7));
}

double open_descriptors()
{
    std::error_code ec;
    const std::filesystem::directory_iterator all("/proc/self/fd", ec);
    // less the one that looks
    return ec ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(std::distance(all, {}) - 1);
}

} // namespace

void write_process(prometheus_text& text)
{
    const std::string stat = file("/proc/self/stat");
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK)), page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used); // finer than the ticks in stat
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    text.single("process_cpu_seconds_total", "counter", "CPU time of this process, without its workers, in seconds.",
                seconds(used.ru_utime) + seconds(used.ru_stime));
    text.single("process_start_time_seconds", "gauge", "When this process started, in seconds since 1970.",
                boot_time() + stat_field(stat, 22) / ticks);
    text.single("process_virtual_memory_bytes", "gauge", "Virtual memory of this process.", stat_field(stat, 23));
    text.single("process_resident_memory_bytes", "gauge", "Resident memory of this process, without its workers.",
                stat_field(stat, 24) * page);
    text.single("process_open_fds", "gauge", "Open file descriptors.", open_descriptors());
    text.single("process_max_fds", "gauge", "The limit of open file descriptors.", static_cast<double>(files.rlim_cur));
}

void write_build(prometheus_text& text)
{
    const auto number = [](int n) { return std::to_string(n); };
#if defined(__clang__)
    const std::string compiler = "clang " + number(__clang_major__) + "." + number(__clang_minor__);
#else
    const std::string compiler = "gcc " + number(__GNUC__) + "." + number(__GNUC_MINOR__);
#endif
    text.head("offload_build_info", "gauge", "What this program is made of; always 1.");
    text.value("offload_build_info",
               "version=\"" + number(TWAT_MP_VERSION_MAJOR) + "." + number(TWAT_MP_VERSION_MINOR) + "." +
                   number(TWAT_MP_VERSION_PATCH) + "\",boost=\"" + number(BOOST_VERSION / 100000) + "." +
                   number(BOOST_VERSION / 100 % 1000) + "." + number(BOOST_VERSION % 100) + "\",compiler=\"" +
                   compiler + "\"",
               1);
}

} // namespace offload
