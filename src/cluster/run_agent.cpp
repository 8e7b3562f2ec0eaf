// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/cluster/agent.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/signal_set.hpp>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "cluster/agent.hpp"
#include "os/environment.hpp"
#include "start/marker.hpp"

namespace twat::mp {
namespace detail::cluster {
namespace {

constexpr const char* usage =
    "usage: --twat-mp-agent URL [--nodes N] [--group NAME] [--host NAME] [--user NAME] [--creds FILE] [--ca FILE] "
    "[--cert FILE] [--key FILE] [--drain SECONDS]";

bool read_number(const char* text, double& value)
{
    char* end = nullptr;
    value = std::strtod(text, &end);
    return end != text && *end == '\0' && value >= 0;
}

/// Returns what is wrong; empty: nothing.
std::string read_options(int argc, char** argv, int first, agent_options& options)
{
    for (int i = first; i < argc; i += 2) {
        const std::string_view name = argv[i];
        if (i + 1 >= argc)
            return std::string(name) + " wants a value";
        const char* const value = argv[i + 1];
        double number = 0;
        if (name == "--nodes") {
            if (!read_number(value, number))
                return "--nodes " + std::string(value) + " is not a number";
            options.local.nodes = static_cast<std::size_t>(number);
        } else if (name == "--drain") {
            if (!read_number(value, number))
                return "--drain " + std::string(value) + " is not a number of seconds";
            options.drain = std::chrono::duration_cast<duration>(std::chrono::duration<double>(number));
        } else if (name == "--group")
            options.group = value;
        else if (name == "--host")
            options.host = value;
        else if (name == "--user")
            options.credentials.user = value;
        else if (name == "--creds")
            options.credentials.creds_file = value;
        else if (name == "--ca")
            options.credentials.ca_file = value;
        else if (name == "--cert")
            options.credentials.certificate = value;
        else if (name == "--key")
            options.credentials.key = value;
        else
            return "an agent does not know the option " + std::string(name);
    }
    return {};
}

std::string environment(const char* name)
{
    const char* const value = std::getenv(name);
    return value ? value : "";
}

} // namespace

agent_control::~agent_control() = default;

namespace {

class serving_agent final : public agent_control
{
public:
    serving_agent(asio::any_io_executor executor, agent_options options)
        : work_(asio::prefer(executor, asio::execution::outstanding_work.tracked)),
          agent_(std::make_shared<agent>(std::move(executor), std::move(options)))
    {}

    void run(const std::shared_ptr<serving_agent>& self, std::function<void(std::exception_ptr)> done)
    {
        agent_->run([self, done = std::move(done)](std::exception_ptr error) {
            done(error);
            self->work_ = {};
        });
    }
    std::string describe() const override { return agent_->describe(); }
    void leave() override { agent_->leave(); }
    void stop() override { agent_->stop(); }

private:
    asio::any_io_executor work_; // counts as work on the context
    const std::shared_ptr<agent> agent_;
};

} // namespace

std::shared_ptr<agent_control> start_agent(asio::any_io_executor executor, agent_options options,
                                           std::function<void(std::exception_ptr)> done)
{
    const auto made = std::make_shared<serving_agent>(std::move(executor), std::move(options));
    made->run(made, std::move(done));
    return made;
}

} // namespace detail::cluster

namespace detail::cluster {
namespace {

/// Serves until a signal comes. Returns what the agent has done.
std::string serve(agent_options options)
{
    asio::io_context context{1};
    asio::signal_set signals(context, SIGTERM, SIGINT);
    std::exception_ptr error;
    const auto serves = start_agent(context.get_executor(), std::move(options), [&](std::exception_ptr e) {
        error = e;
        signals.cancel();
    });
    signals.async_wait([&](boost::system::error_code ec, int) {
        if (ec)
            return;
        serves->leave();
        signals.async_wait([&](boost::system::error_code again, int) {
            if (!again)
                serves->stop();
        });
    });
    context.run();
    if (error)
        std::rethrow_exception(error);
    return serves->describe();
}

} // namespace
} // namespace detail::cluster

void run_agent(agent_options options) { detail::cluster::serve(std::move(options)); }

std::optional<int> run_if_agent(int argc, char** argv)
{
    agent_options options;
    int first = argc;
    for (int i = 1; i < argc; ++i)
        if (std::strcmp(argv[i], "--twat-mp-agent") == 0) {
            if (i + 1 == argc) {
                std::fprintf(stderr, "%s: --twat-mp-agent wants the address of a broker\n%s\n", argv[0],
                             detail::cluster::usage);
                return 2;
            }
            options.url = argv[i + 1];
            first = i + 2;
            break;
        }
    if (first == argc && (argc < 3 || std::strcmp(argv[argc - 2], "--twat-mp-agent") != 0)) {
        options.url = detail::cluster::environment("TWAT_MP_AGENT");
        if (options.url.empty())
            return std::nullopt;
    }
    ::unsetenv("TWAT_MP_AGENT"); // programs that tasks start are not agents
    options.credentials.password = detail::cluster::environment("TWAT_MP_AGENT_PASSWORD");
    options.credentials.token = detail::cluster::environment("TWAT_MP_AGENT_TOKEN");
    if (const std::string wrong = detail::cluster::read_options(argc, argv, first, options); !wrong.empty()) {
        std::fprintf(stderr, "%s: %s\n%s\n", argc > 0 ? argv[0] : "agent", wrong.c_str(), detail::cluster::usage);
        return 2;
    }
    try {
        const std::string did = detail::cluster::serve(std::move(options));
        std::fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "agent", did.c_str());
        return 0;
    }
    catch (const std::exception& e) {
        std::fprintf(stderr, "%s: agent: %s\n", argc > 0 ? argv[0] : "agent", e.what());
        return 1;
    }
}

} // namespace twat::mp
