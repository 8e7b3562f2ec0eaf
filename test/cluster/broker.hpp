// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_CLUSTER_BROKER_HPP
#define TWAT_MP_TEST_CLUSTER_BROKER_HPP

#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace twat::mp::test {

/// A program that a test started, and ends.
class started_program
{
public:
    started_program() = default;
    explicit started_program(const std::vector<std::string>& arguments, const std::string& log = "/dev/null",
                             const std::vector<std::pair<std::string, std::string>>& environment = {})
    {
        std::vector<char*> argv;
        for (const std::string& a : arguments)
            argv.push_back(const_cast<char*>(a.c_str()));
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(fd, 1);
            ::dup2(fd, 2);
            for (const auto& [name, value] : environment)
                ::setenv(name.c_str(), value.c_str(), 1);
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
    }
    started_program(started_program&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    started_program& operator=(started_program&& other) noexcept
    {
        kill(SIGKILL);
        wait();
        pid_ = std::exchange(other.pid_, -1);
        return *this;
    }
    ~started_program()
    {
        kill(SIGKILL);
        wait();
    }

    int pid() const noexcept { return pid_; }
    void kill(int signal) const noexcept
    {
        if (pid_ > 0)
            ::kill(pid_, signal);
    }
    /// The exit code, or 128 and the signal.
    int wait() noexcept
    {
        if (pid_ <= 0)
            return -1;
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    bool has_ended() noexcept
    {
        if (pid_ <= 0)
            return true;
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
    }

private:
    pid_t pid_ = -1;
};

inline int free_port()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    ::bind(fd, reinterpret_cast<sockaddr*>(&at), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    ::close(fd);
    return ntohs(at.sin_port);
}

inline bool accepts(int port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool accepted = ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
    ::close(fd);
    return accepted;
}

/// Polls until `condition()` is true; false if it is not within a time that is long on any machine.
template <class Condition>
bool becomes_true(Condition condition, std::chrono::milliseconds most = std::chrono::seconds(60))
{
    const auto limit = std::chrono::steady_clock::now() + most;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

/** A nats-server of the test's own, on loopback, with JetStream in a directory of its own. */
class broker
{
public:
    enum class jetstream { on, off };

    /// @param more Lines of its configuration. @param disk If given, the size of the file system on which it stores, as `mount` takes it: see `can_mount`.
    explicit broker(jetstream with = jetstream::on, const std::string& more = {}, std::string disk = {})
        : directory_(std::filesystem::temp_directory_path() /
                     ("twat-mp-broker-" + std::to_string(::getpid()) + "-" + std::to_string(count()++))),
          disk_(std::move(disk)), port_(free_port()), monitor_port_(free_port())
    {
        std::filesystem::create_directories(directory_ / "store");
        std::ofstream(directory_ / "server.conf")
            << "listen: \"127.0.0.1:" << port_ << "\"\nhttp: \"127.0.0.1:" << monitor_port_ << "\"\n"
            << (with == jetstream::on ? "jetstream { store_dir: \"" + (directory_ / "store").string() + "\" }\n"
                                      : std::string())
            << more << "\n";
        start();
    }
    ~broker()
    {
        program_ = started_program();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    void start()
    {
        const std::string file = (directory_ / "server.conf").string();
        std::vector<std::string> command{"nats-server", "-c", file};
        if (!disk_.empty()) // seen by the broker alone, and gone with it
            command = {"unshare", "--mount", "sh", "-c",
                       "mount -t tmpfs -o size=" + disk_ + " none '" + (directory_ / "store").string() +
                           "' && exec nats-server -c '" + file + "'"};
        program_ = started_program(command, (directory_ / "log").string());
        BOOST_REQUIRE_MESSAGE(becomes_true([&] { return accepts(port_); }), "nats-server did not start");
    }
    /// As by a power failure.
    void kill()
    {
        program_.kill(SIGKILL);
        program_.wait();
    }

    std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
    int port() const noexcept { return port_; }
    int pid() const noexcept { return program_.pid(); }
    /// Bytes that its files take by now. Files may come and go meanwhile.
    std::uintmax_t bytes_on_disk() const
    {
        namespace fs = std::filesystem;
        std::uintmax_t bytes = 0;
        std::error_code ec;
        for (fs::recursive_directory_iterator it(directory_ / "store", ec), end; !ec && it != end; it.increment(ec)) {
            std::error_code gone;
            const std::uintmax_t size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
            bytes += gone ? 0 : size;
        }
        return bytes;
    }

    /// How many messages lie in all its streams; nothing if it does not tell.
    std::optional<std::size_t> messages() const
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.sin_port = htons(static_cast<std::uint16_t>(monitor_port_));
        std::string answer;
        const std::string request = "GET /jsz HTTP/1.0\r\n\r\n";
        if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 &&
            ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
            char part[4096];
            for (ssize_t n; (n = ::read(fd, part, sizeof part)) > 0;)
                answer.append(part, static_cast<std::size_t>(n));
        }
        ::close(fd);
        constexpr std::string_view key = "\"messages\":";
        const std::size_t found = answer.find(key);
        if (found == answer.npos)
            return std::nullopt;
        return std::stoul(answer.substr(found + key.size()));
    }

    /// Whether a broker can have a disk of its own: that takes root.
    static bool can_mount() { return std::system("unshare --mount true >/dev/null 2>&1") == 0; }

    /// Whether there is a nats-server on this machine.
    static bool is_installed()
    {
        static const bool found = std::system("nats-server --version >/dev/null 2>&1") == 0;
        return found;
    }

private:
    static int& count()
    {
        static int n = 0;
        return n;
    }

    std::filesystem::path directory_;
    std::string disk_;
    int port_;
    int monitor_port_;
    started_program program_;
};

/// An agent: this program once more.
inline started_program start_agent(const std::string& url, int nodes, const std::vector<std::string>& more = {},
                                   const std::string& log = "/dev/stderr",
                                   const std::string& program = "/proc/self/exe")
{
    std::vector<std::string> arguments{program, "--twat-mp-agent", url, "--nodes", std::to_string(nodes)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return started_program(arguments, log);
}

/// The same on a host of this name, which tasks find in the variable TEST_HOST.
inline started_program start_agent_on(const std::string& host, const std::string& url, int nodes)
{
    return started_program({"/proc/self/exe", "--twat-mp-agent", url, "--nodes", std::to_string(nodes), "--host", host},
                           "/dev/stderr", {{"TEST_HOST", host}});
}

} // namespace twat::mp::test

#endif
