// SPDX-License-Identifier: BSL-1.0
#include "worker/replay.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/exception/diagnostic_information.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <unistd.h>

#include <twat/mp/decoder.hpp>
#include <twat/mp/detail/function/worker_function.hpp>
#include <twat/mp/encoder.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/parcel.hpp>

#include "exception/parcel_content.hpp"
#include "function/function.hpp"
#include "function/module.hpp"
#include "start/worker_context.hpp"
#include "worker/functions.hpp"
#include "worker/process_scope.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::string_view option = "--twat-mp-replay";

/// What it runs is what the file says, so nobody else may have written that.
void check_owner(const parcel_content& read)
{
    if (!read.trusted)
        throw std::runtime_error(read.file.string() +
                                 " is refused: others may have written it; copy it, so that it belongs to you");
}

bool is_same_build(const parcel_call& call) { return call.build == build_id(); }

/// The bytes that name a function in this build.
const std::string& name_here(const parcel_call& call, const parcel_function& function, const char* what)
{
    if (is_same_build(call) && !function.by_place.empty())
        return function.by_place;
    if (!function.by_name.empty() || function.by_place.empty())
        return function.by_name;
    throw error(errc::build_mismatch, "the parcel was made by build " + to_hex(call.build) + " of " + call.program +
                                          " and this is build " + to_hex(build_id()) + ", which cannot find " + what +
                                          ": run the other one, or register it by name (TWAT_MP_REGISTER)");
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::unique_ptr<worker_function> find_function(const parcel_call& call)
{
    decoder in(bytes_of(name_here(call, call.function, "the function")));
    return decode_function(in);
}

void run_hook(const std::string& named)
{
    if (named.empty())
        return;
    decoder in(bytes_of(named));
    const auto hook = decode_function(in);
    decoder none;
    encoder dropped;
    hook->call(none, dropped);
}

/// As it was in the worker. What only matters at the start of a program is left alone.
void restore_environment(const parcel_call& call)
{
    for (const std::string& entry : call.environment) {
        const std::size_t end = entry.find('=');
        if (end == entry.npos || end == 0 || entry.starts_with("LD_") || entry.starts_with("TWAT_MP_"))
            continue;
        ::setenv(entry.substr(0, end).c_str(), entry.c_str() + end + 1, 1);
    }
    if (!call.directory.empty() && ::chdir(call.directory.c_str()) != 0)
        std::fprintf(stderr, "twat-mp: the directory of the parcel, %s, is not there: going on in this one\n",
                     call.directory.c_str());
}

void show(const parcel& from)
{
    const parcel_call& call = from.content()->call;
    std::string arguments;
    try {
        arguments = find_function(call)->describe(decoder(bytes_of(call.arguments)));
    }
    catch (const std::exception& e) {
        arguments = std::string("not shown: ") + e.what();
    }
    const auto line = [](const char* name, const std::string& value) {
        if (!value.empty())
            std::printf("%-12s %s\n", name, value.c_str());
    };
    line("program", call.program);
    line("build", from.build() + (is_same_build(call) ? " (this one)" : " (this is " + to_hex(build_id()) + ")"));
    line("function", from.function());
    line("registered", call.function.by_name.empty() ? "no" : "yes: any build can run it");
    line("task", std::to_string(call.index));
    line("worker", std::to_string(call.node));
    line("seed", std::to_string(call.seed));
    line("reason", call.reason);
    line("arguments", arguments.empty() ? "(not to be shown as text)" : arguments);
    line("", std::to_string(call.arguments.size()) + " bytes");
    line("initializer", call.initializer.by_place.empty() ? "no" : "yes");
    line("state", call.state.by_place.empty() ? "no" : "yes");
    line("directory", call.directory);
    std::string names; // the values may be secrets
    for (const std::string& entry : call.environment)
        names += (names.empty() ? "" : " ") + entry.substr(0, entry.find('='));
    line("environment", names);
}

void run(const parcel_call& call)
{
    const auto function = find_function(call);
    const std::string& initializer = name_here(call, call.initializer, "the initializer");
    const std::string& state = name_here(call, call.state, "the worker's state");
    restore_environment(call);
    boost::asio::io_context io(1);
    worker_context context;
    context.index = static_cast<std::size_t>(call.node);
    context.executor = io.get_executor();
    const process_scope scope(context);
    run_hook(initializer);
    run_hook(state);
    context.task = {.chunk = call.chunk, .first = call.index, .seed = call.seed};
    decoder arguments(bytes_of(call.arguments));
    encoder result;
    function->call(arguments, result);
    std::fprintf(stderr, "twat-mp: task %llu returned, with %zu bytes\n", static_cast<unsigned long long>(call.index),
                 result.bytes().size());
    drop_state();
}

} // namespace

std::optional<replay_request> find_replay(std::span<const std::string> arguments)
{
    const auto found = std::ranges::find(arguments, option);
    if (found == arguments.end())
        return std::nullopt;
    replay_request request;
    for (auto next = std::next(found); next != arguments.end(); ++next)
        if (*next == "--show")
            request.show = true;
        else if (request.file.empty())
            request.file = *next;
        else
            request.surplus = *next;
    return request;
}

int run_replay(const replay_request& request) noexcept
{
    constexpr int task_failed = 1, not_run = 2;
    bool loaded = false;
    try {
        if (request.file.empty())
            throw std::runtime_error(std::string(option) + " wants the file of a parcel behind it");
        if (!request.surplus.empty()) // a misspelt --show must not run the call
            throw std::runtime_error("behind the file of a parcel there may be --show, and not " + request.surplus);
        const parcel from = parcel::load(request.file);
        if (request.show)
            show(from);
        else {
            check_owner(*from.content());
            loaded = true;
            run(from.content()->call);
        }
        return 0;
    }
    catch (const error& e) {
        const bool refused = !loaded || e.code() == errc::build_mismatch || e.code() == errc::unknown_function;
        std::fprintf(stderr, "twat-mp: %s\n", e.what());
        return refused ? not_run : task_failed;
    }
    catch (...) {
        std::fprintf(stderr, "twat-mp: %s%s\n", loaded ? "the task threw: " : "",
                     boost::current_exception_diagnostic_information().c_str());
        return loaded ? task_failed : not_run;
    }
}

} // namespace twat::mp::detail
