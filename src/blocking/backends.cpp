// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/backends.hpp>

#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <twat/mp/workers.hpp>

#include "inline/inline_factory.hpp"

namespace twat::mp {
namespace {

constexpr const char* variable = "TWAT_MP_BACKEND";

struct known_backends
{
    std::mutex mutex;
    std::map<std::string, backend_maker, std::less<>> makers{{"inline", &detail::make_inline_factory},
                                                             {"processes", &process_workers::make},
                                                             {"threads", &thread_workers::make}};
};

known_backends& known()
{
    static known_backends& all = *new known_backends; // used by globals, too, while they are made and destroyed
    return all;
}

backend_maker find_backend(const std::string& name)
{
    known_backends& all = known();
    std::lock_guard lock(all.mutex);
    const auto found = all.makers.find(name);
    return found == all.makers.end() ? nullptr : found->second;
}

[[noreturn]] void refuse_backend(const std::string& name, bool from_environment)
{
    std::string text = "twat::mp: there is no backend \"" + name + "\"";
    if (from_environment)
        text += std::string(" (from the environment variable ") + variable + ")";
    text += "; there are";
    const char* separator = " ";
    for (const std::string& other : backends())
        text += std::exchange(separator, ", ") + other;
    throw std::invalid_argument(text);
}

} // namespace

std::vector<std::string> backends()
{
    known_backends& all = known();
    std::lock_guard lock(all.mutex);
    std::vector<std::string> names;
    names.reserve(all.makers.size());
    for (const auto& [name, maker] : all.makers)
        names.push_back(name);
    return names;
}

std::string default_backend()
{
    const char* const wanted = std::getenv(variable);
    return wanted && *wanted ? wanted : "processes";
}

bool register_backend(std::string name, backend_maker maker)
{
    known_backends& all = known();
    std::lock_guard lock(all.mutex);
    return all.makers.emplace(std::move(name), maker).second;
}

std::shared_ptr<const detail::backend_factory> any_workers::make(any_options given)
{
    const std::string name = given.backend.empty() ? default_backend() : given.backend;
    const backend_maker maker = find_backend(name);
    if (!maker)
        refuse_backend(name, given.backend.empty());
    return maker(std::move(given.options));
}

} // namespace twat::mp
