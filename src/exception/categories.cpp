// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/categories.hpp>

#include <twat/mp/codec.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/error.hpp>

#include <array>
#include <cstdint>
#include <future>
#include <ios>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "function/module.hpp"

namespace twat::mp {
namespace detail {
namespace {

const auto& known_categories(const std::error_category*)
{
    // Boost's have a counterpart of the std kind each; those of generic and system are the ones of the standard library.
    const auto of_boost = [](const boost::system::error_category& category) {
        return &static_cast<const std::error_category&>(category);
    };
    static const std::array<const std::error_category*, 8> all{&std::generic_category(),
                                                               &std::system_category(),
                                                               &std::iostream_category(),
                                                               &std::future_category(),
                                                               of_boost(asio::error::get_netdb_category()),
                                                               of_boost(asio::error::get_addrinfo_category()),
                                                               of_boost(asio::error::get_misc_category()),
                                                               of_boost(error_category())};
    return all;
}

const auto& known_categories(const boost::system::error_category*)
{
    static const std::array<const boost::system::error_category*, 6> all{
        &boost::system::generic_category(),    &boost::system::system_category(), &asio::error::get_netdb_category(),
        &asio::error::get_addrinfo_category(), &asio::error::get_misc_category(), &error_category()};
    return all;
}

constexpr unsigned char unknown_category = 0xff;

/// The word at an address inside a segment, which the sanitizer may have set apart: not all of a segment is objects.
__attribute__((no_sanitize("address"))) __attribute__((no_sanitize("thread"))) std::uintptr_t
read_word(std::uintptr_t address) noexcept
{
    using word __attribute__((may_alias)) = std::uintptr_t;
    return *reinterpret_cast<const volatile word*>(address);
}

/** Writes where in the program a category lies, and its virtual table.

    The other process has the same program or library, so its category lies at the same place in it. Most categories are
    there from the start; one that is made at first use may not be yet. An object begins with the address of its virtual
    table, and where that is the same, it is there.
*/
template <class Category>
void encode_place(encoder& out, const Category& category)
{
    const auto module = module_of(&category);
    const auto table = read_word(reinterpret_cast<std::uintptr_t>(&category));
    if (!module || !module->find_segment(table, 1)) {
        out.write(false);
        return;
    }
    out.write(true);
    out.write(module->id());
    out.write(reinterpret_cast<std::uintptr_t>(&category) - module->base());
    out.write(table - module->base());
}

/// The category at the place that follows in the bytes; null if it is not there.
template <class Category>
const Category* decode_place(decoder& in, const std::string& name)
{
    if (!in.read<bool>())
        return nullptr;
    const auto id = in.read<module_id>();
    const auto offset = in.read<std::uintptr_t>();
    const auto table_offset = in.read<std::uintptr_t>();
    const auto module = find_module(id);
    if (!module)
        return nullptr;
    const std::uintptr_t address = module->base() + offset;
    const std::uintptr_t table = module->base() + table_offset;
    const auto* segment = module->find_segment(address, sizeof(Category));
    const auto* table_segment = module->find_segment(table, sizeof(void*));
    if (!segment || !segment->readable || segment->executable || address % alignof(Category) != 0 || !table_segment ||
        table_segment->executable || read_word(address) != table)
        return nullptr;
    const auto* category = reinterpret_cast<const Category*>(address);
    return category->name() == name ? category : nullptr;
}

/// Takes the place of a category of another process: the same name, and the messages that came with its codes.
template <class Category>
class stand_in final : public Category
{
public:
    explicit stand_in(std::string name) : name_(std::move(name)) {}

    const char* name() const noexcept override { return name_.c_str(); }

    std::string message(int value) const override
    {
        const std::lock_guard lock(mutex_);
        const auto at = messages_.find(value);
        return at != messages_.end() ? at->second : name_ + " error " + std::to_string(value);
    }

    void keep_message(int value, std::string message)
    {
        const std::lock_guard lock(mutex_);
        // A worker that makes up codes without end must not fill the memory.
        if (messages_.size() < 1000)
            messages_.try_emplace(value, std::move(message));
    }

private:
    std::string name_;
    mutable std::mutex mutex_;
    std::map<int, std::string> messages_;
};

/// The categories that this process has seen, by name.
template <class Category>
class category_table
{
public:
    /// Never destroyed: codes outlive everything.
    static category_table& instance()
    {
        static category_table& table = *new category_table;
        return table;
    }

    void add(const Category& category)
    {
        const std::lock_guard lock(mutex_);
        // Of two with one name neither can be told from the other: the first stays.
        own_.try_emplace(category.name(), &category);
    }

    const Category& find(const std::string& name, int value, std::string message)
    {
        const std::lock_guard lock(mutex_);
        if (const auto own = own_.find(name); own != own_.end())
            return *own->second;
        // Names are few in a program; a worker that makes them up shares one.
        const std::string& kept = stand_ins_.size() < 1000 || stand_ins_.contains(name) ? name : other_;
        auto& entry = stand_ins_[kept];
        if (!entry)
            entry = std::make_unique<stand_in<Category>>(kept);
        entry->keep_message(value, std::move(message));
        return *entry;
    }

    bool is_stand_in(const Category& category) { return dynamic_cast<const stand_in<Category>*>(&category) != nullptr; }

private:
    const std::string other_ = "unknown";
    std::mutex mutex_;
    std::map<std::string, const Category*> own_;
    std::map<std::string, std::unique_ptr<stand_in<Category>>> stand_ins_;
};

template <class Code, class Category>
void encode_any(encoder& out, const Code& code, const Category& category)
{
    unsigned char number = 0;
    for (const auto* known : known_categories(&category)) {
        if (*known == category) {
            out.write(number);
            out.write(code.value());
            return;
        }
        ++number;
    }
    auto& table = category_table<Category>::instance();
    if (!table.is_stand_in(category))
        table.add(category);
    out.write(unknown_category);
    out.write(code.value());
    out.write(std::string(category.name()));
    out.write(code.message());
    encode_place(out, category);
}

template <class Category, class Code>
void decode_any(decoder& in, Code& code)
{
    const auto number = in.read<unsigned char>();
    const int value = in.read<int>();
    const auto& known = known_categories(static_cast<const Category*>(nullptr));
    if (number < known.size()) {
        code.assign(value, *known[number]);
        return;
    }
    if (number != unknown_category)
        throw_bad_bytes("the number of an error category is out of range");
    const auto name = in.read<std::string>();
    auto message = in.read<std::string>();
    if (const Category* category = decode_place<Category>(in, name)) {
        code.assign(value, *category);
        return;
    }
    code.assign(value, category_table<Category>::instance().find(name, value, std::move(message)));
}

} // namespace

void encode_code(encoder& out, const std::error_code& value) { encode_any(out, value, value.category()); }

void encode_code(encoder& out, const boost::system::error_code& value) { encode_any(out, value, value.category()); }

void decode_code(decoder& in, std::error_code& value) { decode_any<std::error_category>(in, value); }

void decode_code(decoder& in, boost::system::error_code& value)
{
    decode_any<boost::system::error_category>(in, value);
}

} // namespace detail

void register_error_category(const std::error_category& category)
{
    detail::category_table<std::error_category>::instance().add(category);
}

void register_error_category(const boost::system::error_category& category)
{
    detail::category_table<boost::system::error_category>::instance().add(category);
}

} // namespace twat::mp
