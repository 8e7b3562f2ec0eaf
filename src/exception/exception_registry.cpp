// SPDX-License-Identifier: BSL-1.0
#include "exception/exception_registry.hpp"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "exception/standard_exceptions.hpp"

namespace twat::mp::detail {
namespace {

struct registered_type
{
    const exception_type* type;
    bool ambiguous = false; ///< Another type has the same name.
};

struct registry
{
    std::shared_mutex mutex;
    std::vector<registered_type> types;

    /// Made at the first registration, which may come before this file's statics; never destroyed.
    static registry& instance()
    {
        static registry& instance = *new registry;
        return instance;
    }
};

std::string_view name_of(const exception_type& type) noexcept { return type.id().name(); }

/// Shared objects may have a `type_info` each for the same type, so these are compared by name; but a type in an unnamed
/// namespace has only one, and clang lets two such types of the same name compare equal.
bool same(const std::type_info& a, const std::type_info& b) noexcept
{
    return &a == &b || (a == b && std::string_view(a.name()).find("_GLOBAL__N_") == std::string_view::npos);
}

bool derives(const exception_type& type, const exception_type& base)
{
    return &type != &base && base.catches_pointer(type.throw_pointer);
}

} // namespace

bool register_exception_type(const exception_type& type)
{
    // Standard ones are known as they are.
    for (const standard_exception& standard : standard_exceptions())
        if (*standard.id == type.id())
            return true;

    registry& r = registry::instance();
    const std::lock_guard lock(r.mutex);
    for (registered_type& known : r.types)
        if (name_of(*known.type) == name_of(type)) {
            known.ambiguous = known.ambiguous || !same(known.type->id(), type.id());
            return !known.ambiguous;
        }
    r.types.push_back({&type});
    return true;
}

const exception_type* find_registered(const std::exception_ptr& error, const std::type_info& type)
{
    if (const exception_type* exact = exact_registered(type))
        return exact;

    std::vector<const exception_type*> candidates;
    {
        registry& r = registry::instance();
        const std::shared_lock lock(r.mutex);
        for (const registered_type& known : r.types)
            if (!known.ambiguous)
                candidates.push_back(known.type);
    }
    // Without the lock, because these throw and catch the user's types.
    std::erase_if(candidates, [&](const exception_type* t) { return !t->matches(error); });
    const auto most_derived = std::ranges::find_if(candidates, [&](const exception_type* base) {
        return std::ranges::none_of(candidates, [&](const exception_type* t) { return derives(*t, *base); });
    });
    return most_derived != candidates.end() ? *most_derived : nullptr;
}

const exception_type* exact_registered(const std::type_info& type) noexcept
{
    registry& r = registry::instance();
    const std::shared_lock lock(r.mutex);
    for (const registered_type& known : r.types)
        if (!known.ambiguous && (known.type->id() == type || known.type->nested_id() == type))
            return known.type;
    return nullptr;
}

const exception_type* find_registered(std::string_view mangled_name) noexcept
{
    registry& r = registry::instance();
    const std::shared_lock lock(r.mutex);
    for (const registered_type& known : r.types)
        if (!known.ambiguous && name_of(*known.type) == mangled_name)
            return known.type;
    return nullptr;
}

} // namespace twat::mp::detail
