// SPDX-License-Identifier: BSL-1.0
#include "cluster/site.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "child.hpp"

namespace bench {

namespace {

sockaddr_in loopback(int port)
{
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    return at;
}

int free_port()
{
    const descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0)
        fail("a free port");
    return ntohs(at.sin_port);
}

void wait_until_it_accepts(int port)
{
    const sockaddr_in at = loopback(port);
    for (int i = 0; i != 3000; ++i) {
        const descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0)
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("nats-server did not start");
}

} // namespace

started::started(const std::vector<std::string>& command)
{
    std::vector<char*> argv;
    for (const std::string& argument : command)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0)
        fail("fork");
    if (pid_ == 0) {
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(null, 1);
        ::dup2(null, 2);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
}

started::~started()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

double started::cpu_time() const
{
    std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
    std::string text;
    std::getline(in, text);
    text.erase(0, text.rfind(')') + 2); // the name may have spaces in it
    double ticks = 0;
    std::size_t at = 0;
    for (int field = 3; field <= 15; ++field) {
        const std::size_t end = text.find(' ', at);
        if (field >= 14)
            ticks += std::stod(text.substr(at, end - at));
        at = end + 1;
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

site::site(std::size_t agents, std::size_t nodes)
{
    std::string name = (std::filesystem::temp_directory_path() / "twat-mp-bench.XXXXXX").string();
    if (!::mkdtemp(name.data()))
        fail(name);
    directory_ = name;
    const int port = free_port();
    url_ = "nats://127.0.0.1:" + std::to_string(port);
    running_.emplace_back(std::vector<std::string>{"nats-server", "-a", "127.0.0.1", "-p", std::to_string(port), "-js",
                                                   "-sd", (directory_ / "store").string()});
    wait_until_it_accepts(port);
    for (std::size_t i = 0; i != agents; ++i)
        running_.emplace_back(std::vector<std::string>{"/proc/self/exe", "--twat-mp-agent", url_, "--nodes",
                                                       std::to_string(nodes), "--host", "host" + std::to_string(i)});
}

site::~site()
{
    running_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

bool has_broker() { return std::system("nats-server --version >/dev/null 2>&1") == 0; }

} // namespace bench
