// SPDX-License-Identifier: BSL-1.0
#include "wire/error_code.hpp"

#include <boost/asio/error.hpp>

#include <cstdint>
#include <cstring>
#include <future>
#include <ios>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <twat/mp/detail/exception_type.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp::detail {
namespace {

/// Stands for a category that this process does not have.
class foreign_category final : public boost::system::error_category
{
public:
    explicit foreign_category(std::string name) : name_(std::move(name)) {}

    const char* name() const noexcept override { return name_.c_str(); }

    std::string message(int value) const override
    {
        const std::lock_guard lock(mutex_);
        const auto found = messages_.find(value);
        return found != messages_.end() ? found->second : name_ + " error " + std::to_string(value);
    }

    void learn(int value, const std::string& message)
    {
        const std::lock_guard lock(mutex_);
        if (messages_.size() < 1000)
            messages_.emplace(value, message);
    }

private:
    const std::string name_;
    mutable std::mutex mutex_;
    std::map<int, std::string> messages_;
};

/// Categories live for ever, so their number is bounded; beyond it they share one.
foreign_category& find_foreign(const std::string& name)
{
    static std::mutex& mutex = *new std::mutex;
    static auto& known = *new std::map<std::string, std::unique_ptr<foreign_category>>;
    const std::lock_guard lock(mutex);
    const std::string& key = known.size() < 256 || known.contains(name) ? name : "unknown";
    std::unique_ptr<foreign_category>& category = known[key];
    if (!category)
        category = std::make_unique<foreign_category>(key);
    return *category;
}

const std::error_category* find_standard(const std::string& name)
{
    for (const std::error_category* category :
         {&std::generic_category(), &std::system_category(), &std::iostream_category(), &std::future_category()})
        if (name == category->name())
            return category;
    return nullptr;
}

const boost::system::error_category* find_boost(const std::string& name)
{
    for (const boost::system::error_category* category :
         {&boost::system::generic_category(), &boost::system::system_category(),
          &asio::error::get_netdb_category(), &asio::error::get_addrinfo_category(),
          &asio::error::get_misc_category(), &error_category()})
        if (name == category->name())
            return category;
    return nullptr;
}

struct code_text
{
    std::string category;
    std::string message;
    std::int32_t value;
};

template <class Code>
void encode_code(encoder& out, const Code& code)
{
    const std::int32_t value = code.value();
    out.write_bytes(&value, sizeof value);
    encode_text(out, code.category().name());
    encode_text(out, code.message().c_str());
}

code_text decode_code(decoder& in)
{
    code_text code;
    std::memcpy(&code.value, in.read_bytes(sizeof code.value), sizeof code.value);
    code.category = decode_text(in);
    code.message = decode_text(in);
    return code;
}

const boost::system::error_category& foreign(const code_text& code)
{
    foreign_category& category = find_foreign(code.category);
    category.learn(code.value, code.message);
    return category;
}

} // namespace

void encode_error_code(encoder& out, const std::error_code& code)
{
    encode_code(out, code);
}

void encode_error_code(encoder& out, const boost::system::error_code& code)
{
    encode_code(out, code);
}

std::error_code decode_error_code(decoder& in)
{
    const code_text code = decode_code(in);
    if (const std::error_category* category = find_standard(code.category))
        return {code.value, *category};
    if (const boost::system::error_category* category = find_boost(code.category))
        return boost::system::error_code(code.value, *category);
    return boost::system::error_code(code.value, foreign(code));
}

boost::system::error_code decode_boost_error_code(decoder& in)
{
    const code_text code = decode_code(in);
    if (const boost::system::error_category* category = find_boost(code.category))
        return {code.value, *category};
    if (const std::error_category* category = find_standard(code.category))
        return std::error_code(code.value, *category);
    return {code.value, foreign(code)};
}

} // namespace twat::mp::detail
