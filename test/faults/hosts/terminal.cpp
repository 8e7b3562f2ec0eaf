// SPDX-License-Identifier: BSL-1.0
#include "terminal.hpp"

#include <twat/mp.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <new>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../expect.hpp"

namespace mp = twat::mp;
using namespace std::chrono_literals;

namespace twat::mp::test {
namespace {

constexpr const char* board_name = "TWAT_MP_TEST_BOARD";

/// What a job, its worker and its shell share.
struct board
{
    std::atomic<long> counter{0};
    std::atomic<int> worker{0};
    std::atomic<bool> enough{false};
};

board& map(const std::string& file)
{
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (::ftruncate(fd, sizeof(board)) != 0)
        std::abort();
    void* const at = ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    return *static_cast<board*>(at);
}

char state_of(int process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    const auto behind_name = text.rfind(')');
    return behind_name == text.npos ? 'X' : text.at(behind_name + 2);
}

bool wait_until(const std::function<bool()>& done, std::chrono::seconds patience = 60s)
{
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

/// A shell with a terminal, and one job in its foreground.
class shell
{
public:
    /// Becomes the leader of the terminal's session. @param mode Of this program, for the job.
    explicit shell(const char* mode)
    {
        ::setsid();
        master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        ::grantpt(master_);
        ::unlockpt(master_);
        const int slave = ::open(::ptsname(master_), O_RDWR | O_CLOEXEC);
        EXPECT(slave >= 0 && ::ioctl(slave, TIOCSCTTY, 0) == 0);
        char file[] = "/tmp/twat_mp_board_XXXXXX";
        ::close(::mkstemp(file));
        ::setenv(board_name, file, 1);
        board_ = &map(file);
        std::signal(SIGTTOU, SIG_IGN);
        job_ = ::fork();
        if (job_ == 0) {
            ::setpgid(0, 0);
            ::tcsetpgrp(slave, ::getpid());
            std::signal(SIGTTOU, SIG_DFL);
            ::dup2(slave, 0);
            ::execl("/proc/self/exe", "host", mode, nullptr);
            ::_exit(1);
        }
    }
    ~shell()
    {
        ::kill(job_, SIGKILL);
        ::unlink(std::getenv(board_name));
    }

    board& shared() { return *board_; }
    int job() const { return job_; }

    void press_ctrl_z()
    {
        const char key = 'z' & 0x1f;
        EXPECT(::write(master_, &key, 1) == 1);
        int status = 0;
        EXPECT(::waitpid(job_, &status, WUNTRACED) == job_ && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
    }

    void foreground() { ::kill(-job_, SIGCONT); }

    int wait_for_job()
    {
        int status = 0;
        ::waitpid(job_, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    /// Stops the job, until its worker is stopped too. A task that has just begun is not paused: then it is tried again.
    bool pause_worker()
    {
        for (int round = 0; round != 30; ++round) {
            std::this_thread::sleep_for(1s);
            press_ctrl_z();
            if (wait_until([this] { return state_of(shared().worker) == 'T'; }, 3s))
                return true;
            foreground();
        }
        return false;
    }

private:
    int master_ = -1;
    int job_ = 0;
    board* board_ = nullptr;
};

// ---------------------------------------------------------------- jobs

int read_terminal()
{
    const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0)
        return errno;
    char c;
    return ::read(terminal, &c, 1) < 0 ? -errno : 0;
}

int count(const std::string& file)
{
    board& shared = map(file);
    shared.worker = ::getpid();
    while (!shared.enough)
        ++shared.counter;
    return 7;
}

} // namespace

void job_opens_the_terminal()
{
    mp::process_pool pool(1);
    EXPECT(pool.apply(read_terminal) == ENXIO);
}

void job_counts()
{
    mp::process_pool pool(1);
    EXPECT(pool.apply(count, std::string(std::getenv(board_name))) == 7);
}

// ---------------------------------------------------------------- shells

void a_task_opens_the_terminal() { EXPECT(shell("job_opens_the_terminal").wait_for_job() == 0); }

void ctrl_z_pauses_the_workers()
{
    shell sh("job_counts");
    EXPECT(wait_until([&] { return sh.shared().counter > 0; }));
    for (int round = 0; round != 2; ++round) {
        EXPECT(sh.pause_worker());
        const long before = sh.shared().counter;
        std::this_thread::sleep_for(100ms);
        EXPECT(sh.shared().counter == before);
        sh.foreground();
        EXPECT(wait_until([&] { return sh.shared().counter > before; }));
    }
    sh.shared().enough = true;
    EXPECT(sh.wait_for_job() == 0);
}

void killed_while_stopped()
{
    shell sh("job_counts");
    EXPECT(wait_until([&] { return sh.shared().counter > 0; }));
    EXPECT(sh.pause_worker());
    ::kill(sh.job(), SIGKILL);
    sh.wait_for_job();
    EXPECT(wait_until([&] { return std::strchr("ZX", state_of(sh.shared().worker)); }));
}

} // namespace twat::mp::test
