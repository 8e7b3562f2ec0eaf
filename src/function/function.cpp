// SPDX-License-Identifier: BSL-1.0
#include "function/function.hpp"

#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "function/module.hpp"
#include "function/named.hpp"
#include "function/text.hpp"

namespace twat::mp::detail {
namespace {

enum class naming : std::uint8_t { by_place = 1, by_name = 2 };

constexpr std::size_t max_shown = 300;

/// A place in a module, as it is sent.
struct place
{
    std::string_view id, module_name;
    std::uint64_t offset;
};

place read_place(decoder& in)
{
    place where;
    where.id = read_text(in, max_module_id);
    where.offset = read_number(in);
    where.module_name = read_text(in, max_shown);
    return where;
}

void write_place(encoder& out, const void* address, const char* what)
{
    const auto module = module_of(address);
    if (!module)
        throw error(errc::unknown_function,
                    std::string(what) + " lies in no program or library (generated code, or a null pointer), so "
                                        "another process cannot find it");
    write_text(out, module->id());
    write_number(out, reinterpret_cast<std::uintptr_t>(address) - module->base());
    write_text(out, module->name().substr(0, max_shown));
}

std::shared_ptr<const loaded_module> find(const place& where, const std::string& what)
{
    if (auto module = find_module(where.id))
        return module;
    const std::string name(where.module_name);
    for (const auto& module : *loaded_modules())
        if (module->name() == where.module_name)
            throw error(errc::build_mismatch, "the worker has another build of " + name + " (" + to_hex(module->id()) +
                                                  ", not " + to_hex(where.id) + "), so it does not have " + what +
                                                  "; was the file replaced while the program ran?");
    throw error(errc::unknown_function, "the worker has not loaded " + name + " (" + to_hex(where.id) +
                                            "), which holds " + what +
                                            "; load it in the initializer (pool_options::initializer)");
}

/// Some copied words of a descriptor-to-be, which may lie between other objects.
struct descriptor_words
{
    std::uint64_t magic, hash;
    std::uintptr_t make, text;
};
static_assert(sizeof(descriptor_words) == sizeof(descriptor));

__attribute__((no_sanitize("address"))) __attribute__((no_sanitize("thread"))) descriptor_words
read_words(std::uintptr_t address) noexcept
{
    using word __attribute__((may_alias)) = std::uint64_t;
    const auto* words = reinterpret_cast<const word*>(address);
    return {words[0], words[1], static_cast<std::uintptr_t>(words[2]), static_cast<std::uintptr_t>(words[3])};
}
static_assert(sizeof(void*) == sizeof(std::uint64_t), "descriptors are four 64-bit words");

bool is_code(std::uintptr_t address)
{
    const auto module = module_of(reinterpret_cast<const void*>(address));
    const auto* segment = module ? module->find_segment(address, 1) : nullptr;
    return segment && segment->executable;
}

const descriptor& find_descriptor(const place& where, std::uint64_t hash, std::string_view text)
{
    const std::string what = "the function " + readable_types(text);
    const auto module = find(where, what);
    const auto refuse = [&](const char* why) {
        throw error(errc::unknown_function,
                    what + " is not where it was said to be in " + std::string(module->name()) + ": " + why);
    };
    const std::uintptr_t address = module->base() + static_cast<std::uintptr_t>(where.offset);
    const auto* segment = module->find_segment(address, sizeof(descriptor));
    if (!segment || !segment->readable)
        refuse("outside what is loaded");
    if (address % alignof(descriptor) != 0)
        refuse("not aligned");
    const descriptor_words words = read_words(address);
    if (words.magic != descriptor_magic)
        refuse("something else is there");
    if (words.hash != hash)
        refuse("a different function is at this address");
    if (!is_code(words.make))
        refuse("the address does not hold a callable descriptor");
    return *reinterpret_cast<const descriptor*>(address);
}

} // namespace

descriptor_reference::descriptor_reference(const descriptor& d)
{
    encoder out;
    write_byte(out, static_cast<std::uint8_t>(naming::by_place));
    write_place(out, &d, d.text);
    write_number(out, d.hash);
    write_text(out, std::string_view(d.text).substr(0, max_text));
    bytes_ = std::move(out.buffer());
}

void write_code_pointer(encoder& out, code_pointer function)
{
    write_place(out, reinterpret_cast<const void*>(function), "the pointer to a function");
}

code_pointer read_code_pointer(decoder& in)
{
    const place where = read_place(in);
    const auto module = find(where, "the function that a pointer was sent of");
    const std::uintptr_t address = module->base() + static_cast<std::uintptr_t>(where.offset);
    const auto* segment = module->find_segment(address, 1);
    if (!segment || !segment->executable)
        throw error(errc::unknown_function,
                    "a pointer to a function was sent that points to no code in " + std::string(module->name()));
    return reinterpret_cast<code_pointer>(address);
}

void write_name(encoder& out, const function_key& key, const char* types, std::size_t bound)
{
    const named_function f = find_registered(key, types);
    write_byte(out, static_cast<std::uint8_t>(naming::by_name));
    write_text(out, f.name);
    write_number(out, f.hash);
    write_number(out, bound);
    write_text(out, std::string_view(types).substr(0, max_text));
}

std::unique_ptr<worker_function> decode_function(decoder& in)
{
    switch (static_cast<naming>(read_byte(in))) {
    case naming::by_place: {
        const place where = read_place(in);
        const std::uint64_t hash = read_number(in);
        const std::string_view text = read_text(in, max_text);
        return find_descriptor(where, hash, text).make(in);
    }
    case naming::by_name: {
        const std::string_view name = read_text(in, max_text);
        const std::uint64_t hash = read_number(in);
        const std::uint64_t bound = read_number(in);
        const std::string_view types = read_text(in, max_text);
        const named_function f = find_registered(name, hash, types);
        if (bound >= f.make.size() || !f.make[bound])
            throw error(errc::unknown_function, "the worker's function \"" + f.name + "\" cannot be called with " +
                                                    std::to_string(bound) + " bound arguments");
        return f.make[bound](in, f.key.pointer);
    }
    }
    throw error(errc::decode_failed, "a function was expected and something else was sent");
}

} // namespace twat::mp::detail
