// SPDX-License-Identifier: BSL-1.0
#include "census.hpp"

#include <twat/mp.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;

/// A test that takes longer has hung. TWAT_MP_TEST_PATIENCE gives long ones more seconds.
int patience_ms()
{
    const char* const seconds = std::getenv("TWAT_MP_TEST_PATIENCE");
    return (seconds ? std::atoi(seconds) : 240) * 1000;
}

template <class F>
void for_each_name(const std::string& folder, F use)
{
    DIR* const open = ::opendir(folder.c_str());
    if (!open)
        return;
    while (const dirent* entry = ::readdir(open))
        if (entry->d_name[0] != '.')
            use(std::string(entry->d_name));
    ::closedir(open);
}

std::vector<int> children_of(int parent)
{
    std::vector<int> found;
    for_each_name("/proc", [&](const std::string& name) {
        std::string text;
        if (!std::atoi(name.c_str()) || !std::getline(std::ifstream("/proc/" + name + "/stat"), text))
            return;
        const auto behind_name = text.rfind(')'); // then: " S 4711 ..."
        if (behind_name != text.npos && std::atoi(text.c_str() + behind_name + 4) == parent)
            found.push_back(std::atoi(name.c_str()));
    });
    return found;
}

census count(int process, const std::string& temporary)
{
    const std::string folder = "/proc/" + std::to_string(process);
    census now;
    for_each_name(folder + "/fd", [&](const std::string&) { ++now.descriptors; });
    for_each_name(folder + "/task", [&](const std::string&) { ++now.threads; });
    for_each_name("/dev/shm", [&](const std::string& name) { now.shared_memory += name.find("twat") != name.npos; });
    for_each_name(temporary, [&](const std::string&) { ++now.temporary; });
    now.children = static_cast<int>(children_of(process).size()) - 1; // without the watcher
    return now;
}

void show(int process)
{
    const std::string folder = "/proc/" + std::to_string(process) + "/task/";
    for_each_name(folder, [&](const std::string& thread) {
        std::string name, waits_in, call;
        std::getline(std::ifstream(folder + thread + "/comm"), name);
        std::getline(std::ifstream(folder + thread + "/wchan"), waits_in);
        std::getline(std::ifstream(folder + thread + "/syscall"), call);
        std::cerr << "  process " << process << " thread " << thread << " (" << name << ") waits in " << waits_in
                  << ", call " << call << '\n';
    });
}

[[noreturn]] void watch(int process, const std::string& temporary, int asked, int answer)
{
    ::prctl(PR_SET_NAME, "census");
    const int patience = patience_ms();
    for (;;) {
        pollfd input{asked, POLLIN, 0};
        const int ready = ::poll(&input, 1, patience);
        if (ready == 0) {
            std::cerr << "the test of process " << process << " did not end:\n";
            show(process);
            for (const int child : children_of(process))
                show(child);
            for (const int child : children_of(process))
                if (child != ::getpid())
                    ::kill(child, SIGKILL);
            ::kill(process, SIGABRT);
            ::_exit(1);
        }
        char question;
        if (::read(asked, &question, 1) != 1)
            ::_exit(0);
        const census now = count(process, temporary);
        if (::write(answer, &now, sizeof now) != sizeof now)
            ::_exit(1);
    }
}

} // namespace

census_taker::census_taker()
{
    int question[2], answer[2];
    if (::pipe2(question, O_CLOEXEC) != 0 || ::pipe2(answer, O_CLOEXEC) != 0)
        throw std::runtime_error("no pipes for the census");
    folder_ = (std::filesystem::temp_directory_path() / "twat_mp_census_XXXXXX").string();
    if (!::mkdtemp(folder_.data()))
        throw std::runtime_error("no folder for the census");
    ::setenv("TMPDIR", folder_.c_str(), 1);
    const int process = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(question[1]);
        ::close(answer[0]);
        watch(process, folder_, question[0], answer[1]);
    }
    ::close(question[0]);
    ::close(answer[1]);
    ask_ = question[1];
    answer_ = answer[0];
}

census_taker::~census_taker()
{
    ::close(ask_);
    ::close(answer_);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

census census_taker::take() const
{
    census now;
    if (::write(ask_, "?", 1) != 1 || ::read(answer_, &now, sizeof now) != sizeof now)
        throw std::runtime_error("the census is not answered");
    return now;
}

census_taker& census_taker::instance()
{
    static census_taker taker;
    return taker;
}

std::ostream& operator<<(std::ostream& os, const census& what)
{
    return os << what.descriptors << " descriptors, " << what.children << " children, " << what.threads << " threads, "
              << what.shared_memory << " shared memories, " << what.temporary << " temporary files";
}

namespace {

// First of all, while there is one thread. Then a pool comes and goes, for the library keeps its process-wide thread.
struct start_census
{
    start_census()
    {
        census_taker::instance();
        process_pool(1).start();
        std::this_thread::sleep_for(200ms); // the pool's launching thread ends behind its back
    }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(start_census);

census_fixture::census_fixture() : before_(census_taker::instance().take()) {}

census_fixture::~census_fixture()
{
    // What a killed worker leaves is reaped behind the pool's back: soon, and not at once.
    census after = census_taker::instance().take();
    for (int i = 0; i != 600 && after != before_; ++i) {
        std::this_thread::sleep_for(50ms);
        after = census_taker::instance().take();
    }
    BOOST_TEST(after == before_);
}

} // namespace twat::mp::test
