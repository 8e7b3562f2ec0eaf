// SPDX-License-Identifier: BSL-1.0
#include "process/parcels.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <twat/mp/detail/operation/payload.hpp>

#include "exception/parcel_content.hpp"
#include "function/module.hpp"
#include "os/environment.hpp"
#include "os/job_thread.hpp"
#include "os/own_process.hpp"

namespace twat::mp::detail {
namespace {

/// Copying more would hold up the loop.
constexpr std::size_t most_argument_bytes = std::size_t(16) << 20;
constexpr std::size_t most_environment_bytes = std::size_t(256) << 10;
constexpr const char* extension = ".parcel";

std::string text_of(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Empty if it cannot be named so.
template <class Encode>
std::string named(Encode encode, bool by_name)
{
    try {
        return text_of(encode(by_name).bytes.bytes());
    }
    catch (const std::exception&) {
        return {};
    }
}

parcel_function named(const task& hook, bool foreign)
{
    if (!hook)
        return {};
    const auto encode = [&](bool by_name) { return hook.encode(by_name); };
    return {foreign ? std::string() : named(encode, false), named(encode, true)};
}

/// Names that sort by time.
std::string make_file_name(std::uint64_t task)
{
    static std::atomic<unsigned> count{0};
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char time[32], name[128];
    std::strftime(time, sizeof time, "%Y%m%dT%H%M%S", &parts);
    std::snprintf(name, sizeof name, "%s-%06u-%d-task%llu%s", time, ++count % 1'000'000, static_cast<int>(::getpid()),
                  static_cast<unsigned long long>(task), extension);
    return name;
}

void keep(const parcel& made, const parcel_options& options) noexcept
{
    try {
        std::filesystem::create_directories(options.directory);
        made.save(made.file());
        std::vector<std::filesystem::path> kept;
        for (const auto& entry : std::filesystem::directory_iterator(options.directory))
            if (entry.path().extension() == extension && entry.is_regular_file())
                kept.push_back(entry.path());
        std::ranges::sort(kept);
        for (std::size_t i = 0; i + options.most < kept.size(); ++i)
            std::filesystem::remove(kept[i]);
    }
    catch (const std::exception& e) {
        if (is_enabled("TWAT_MP_DEBUG"))
            std::fprintf(stderr, "twat-mp: a parcel was not kept: %s\n", e.what());
    }
}

} // namespace

parcel parcel_maker::make(const chunk& work, std::size_t position, std::size_t node,
                          const std::string& reason) const noexcept
{
    static constinit job_thread writer("twat-mp:parcels");
    try {
        const auto* const tasks = dynamic_cast<const encoded_payload*>(work.tasks.get());
        if (!tasks || position >= tasks->size() || (*tasks)[position].size() > most_argument_bytes || !work.op)
            return {};
        const bool foreign = !program_.empty();
        auto made = std::make_shared<parcel_content>();
        parcel_call& call = made->call;
        call.build = build_id();
        call.program = foreign ? program_.string() : own_executable();
        call.types = work.op->function_types();
        call.reason = reason;
        if (work.function && !foreign)
            call.function.by_place = text_of(work.function->bytes.bytes());
        call.function.by_name = named([&](bool by_name) { return work.op->encode_function(by_name); }, true);
        call.initializer = named(initializer_, foreign);
        call.state = named(state_, foreign);
        call.arguments = text_of((*tasks)[position]);
        call.index = work.first + position;
        call.seed = work.op->traits().options.seed;
        call.node = node;
        call.chunk = work.id;
        call.directory = own_directory();
        call.environment = first_environment(most_environment_bytes);
        if (!options_.directory.empty())
            made->file = std::filesystem::absolute(options_.directory) / make_file_name(call.index);
        parcel result(made);
        if (!made->file.empty())
            writer.post([result, options = options_] { keep(result, options); });
        return result;
    }
    catch (...) { // no memory for it
        return {};
    }
}

} // namespace twat::mp::detail
