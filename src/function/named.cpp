// SPDX-License-Identifier: BSL-1.0
#include "function/named.hpp"

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <dlfcn.h>
#include <mutex>
#include <string>
#include <vector>

#include <twat/mp/error.hpp>

#include "function/text.hpp"

namespace twat::mp::detail {
namespace {

struct registry
{
    std::mutex mutex;
    std::vector<named_function> functions; // one entry for each registration
};

// Made by the first registration, whichever file it is in, and never destroyed: registrations end in no known order.
registry& all()
{
    static registry& functions = *new registry;
    return functions;
}

bool is_same(const named_function& a, const named_function& b)
{
    return a.name == b.name && a.key == b.key && a.make.data() == b.make.data();
}

/// The name of the function that a pointer points to, where the program tells it.
std::string symbol_of(const function_key& key)
{
    Dl_info info{};
    if (key.pointer && ::dladdr(reinterpret_cast<void*>(key.pointer), &info) != 0 && info.dli_sname &&
        info.dli_saddr == reinterpret_cast<void*>(key.pointer)) {
        std::string name = boost::core::demangle(info.dli_sname);
        name.erase(std::min(name.find('('), name.size()));
        // Of templates it is "int plus<int, long>(int, long)".
        return name.substr(name.rfind(' ', name.find('<')) + 1);
    }
    return {};
}

/// A name that stands for two functions stands for none.
void check_unique(const registry& known, const named_function& f)
{
    for (const auto& other : known.functions)
        if (other.name == f.name && !(other.key == f.key))
            throw error(errc::unknown_function, "two functions are registered as \"" + f.name +
                                                    "\": give one another name with TWAT_MP_REGISTER_AS");
}

} // namespace

registration::registration(named_function f) : f_(std::move(f))
{
    auto& known = all();
    std::lock_guard lock(known.mutex);
    known.functions.push_back(f_);
}

registration::~registration()
{
    auto& known = all();
    std::lock_guard lock(known.mutex);
    const auto found = std::find_if(known.functions.begin(), known.functions.end(),
                                    [this](const named_function& other) { return is_same(f_, other); });
    if (found != known.functions.end())
        known.functions.erase(found);
}

named_function find_registered(const function_key& key, const char* types)
{
    auto& known = all();
    std::lock_guard lock(known.mutex);
    const named_function* other_types = nullptr;
    for (const auto& f : known.functions) {
        if (!(f.key == key))
            continue;
        if (std::string_view(f.text) == types) {
            check_unique(known, f);
            return f;
        }
        other_types = &f;
    }
    if (other_types)
        throw error(errc::unknown_function,
                    "the function registered as \"" + other_types->name + "\" has the types (result, parameters) " +
                        readable_types(other_types->text) + " and was called with " + readable_types(types) +
                        ": another program as worker needs exactly the registered ones");
    const std::string symbol = symbol_of(key);
    const std::string what = !symbol.empty() ? "the function " + symbol
                             : key.pointer   ? std::string("a function")
                                             : "the function object " + boost::core::demangle(key.type.name());
    throw error(errc::unknown_function, what + " with the types (result, parameters) " + readable_types(types) +
                                            " is not registered, which another program as worker "
                                            "(pool_options::executable) needs: write TWAT_MP_REGISTER(" +
                                            (symbol.empty() ? "its name" : symbol) + ") at namespace scope");
}

named_function find_registered(std::string_view name, std::uint64_t hash, std::string_view types)
{
    auto& known = all();
    std::lock_guard lock(known.mutex);
    const auto found = std::find_if(known.functions.begin(), known.functions.end(),
                                    [&](const named_function& f) { return f.name == name; });
    if (found == known.functions.end())
        throw error(errc::unknown_function, "the worker's program has no function registered as \"" +
                                                std::string(name) + "\": write TWAT_MP_REGISTER(" + std::string(name) +
                                                ") at namespace scope in it, too");
    check_unique(known, *found);
    if (found->hash != hash)
        throw error(errc::unknown_function, "the function registered as \"" + std::string(name) +
                                                "\" has the types (result, parameters) " + readable_types(found->text) +
                                                " in the worker's program and " + readable_types(types) +
                                                " in the caller's");
    return *found;
}

void throw_has_no_name(const char* types)
{
    throw error(errc::unknown_function,
                "the function object " + readable_types(types) +
                    " holds values, so it cannot be registered for another program as worker "
                    "(pool_options::executable): use TWAT_MP_REGISTER(f) and mp::partial(f, values...)");
}

std::string readable_types(std::string_view text)
{
    // g++: "... [with Types = {int, char}]"; clang: "... [Types = <int, char>]"
    const std::size_t begin = text.find("Types = ");
    if (begin == text.npos)
        return std::string(text);
    text.remove_prefix(begin + 8);
    if (const std::size_t end = text.rfind(']'); end != text.npos && end + 1 == text.size())
        text.remove_suffix(1);
    if (text.size() >= 2 && (text.front() == '{' || text.front() == '<')) {
        text.remove_prefix(1);
        text.remove_suffix(1);
    }
    return "(" + std::string(text) + ")";
}

} // namespace twat::mp::detail
