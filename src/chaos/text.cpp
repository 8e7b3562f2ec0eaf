// SPDX-License-Identifier: BSL-1.0
// Chaos as text: what TWAT_MP_CHAOS holds.
#include <twat/mp/chaos.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace twat::mp {
namespace {

using std::chrono::nanoseconds;

struct unit
{
    std::string_view name;
    nanoseconds::rep count;
};
constexpr std::array<unit, 4> units{{{"ns", 1}, {"us", 1000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};

[[noreturn]] void refuse(std::string_view key, std::string_view value, const char* why)
{
    throw std::invalid_argument(std::string(key) + "=" + std::string(value) + " " + why);
}

std::uint64_t parse_seed(std::string_view key, std::string_view value)
{
    std::uint64_t seed = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seed);
    if (ec != std::errc() || end != value.data() + value.size())
        refuse(key, value, "is not a whole number from 0 to 18446744073709551615");
    return seed;
}

double parse_probability(std::string_view key, std::string_view value)
{
    double probability = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), probability);
    if (ec != std::errc() || end != value.data() + value.size() || !(probability >= 0 && probability <= 1))
        refuse(key, value, "is not a probability from 0 to 1");
    return probability;
}

nanoseconds parse_time(std::string_view key, std::string_view value)
{
    nanoseconds::rep count = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), count);
    const std::string_view name(end, static_cast<std::size_t>(value.data() + value.size() - end));
    for (const unit& u : units)
        if (ec == std::errc() && count >= 0 && name == u.name &&
            count <= std::numeric_limits<nanoseconds::rep>::max() / u.count)
            return nanoseconds(count * u.count);
    refuse(key, value, "is not a time: a whole number with ns, us, ms or s behind it");
}

chaos_delay parse_delay(std::string_view key, std::string_view value)
{
    const auto colon = value.find(':');
    if (colon == std::string_view::npos)
        return parse_time(key, value);
    return {parse_probability(key, value.substr(0, colon)), parse_time(key, value.substr(colon + 1))};
}

std::string text_of(double number)
{
    std::array<char, 32> digits;
    const auto [end, ec] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return {digits.data(), end};
}

std::string text_of(nanoseconds time)
{
    for (auto u = units.rbegin(); u != units.rend(); ++u)
        if (time.count() % u->count == 0)
            return std::to_string(time.count() / u->count) + std::string(u->name);
    return {};
}

std::string text_of(const chaos_delay& delay)
{
    return (delay.probability == 1 ? std::string() : text_of(delay.probability) + ":") + text_of(delay.time);
}

} // namespace

chaos_options parse_chaos(std::string_view text)
{
    constexpr std::array<std::string_view, 5> keys{"seed", "kill", "slow_start", "delay", "refuse"};
    chaos_options options;
    std::array<bool, keys.size()> seen{};
    while (!text.empty()) {
        const std::string_view entry = text.substr(0, text.find(','));
        text.remove_prefix(entry.size() == text.size() ? text.size() : entry.size() + 1);
        const auto equals = entry.find('=');
        const std::string_view key = entry.substr(0, equals);
        const std::string_view value = equals == std::string_view::npos ? std::string_view() : entry.substr(equals + 1);
        std::size_t at = 0;
        while (at != keys.size() && keys[at] != key)
            ++at;
        if (at == keys.size() || equals == std::string_view::npos)
            throw std::invalid_argument("\"" + std::string(entry) +
                                        "\" is not one of seed=, kill=, slow_start=, delay= and refuse=");
        if (std::exchange(seen[at], true))
            refuse(key, value, "is given twice");
        switch (at) {
        case 0: options.seed = parse_seed(key, value); break;
        case 1: options.kill = parse_probability(key, value); break;
        case 2: options.slow_start = parse_delay(key, value); break;
        case 3: options.delay = parse_delay(key, value); break;
        default: options.refuse = parse_probability(key, value); break;
        }
    }
    return options;
}

std::string to_string(const chaos_options& options)
{
    std::string text = "seed=" + std::to_string(options.seed);
    if (options.kill > 0)
        text += ",kill=" + text_of(options.kill);
    if (options.slow_start.probability > 0)
        text += ",slow_start=" + text_of(options.slow_start);
    if (options.delay.probability > 0)
        text += ",delay=" + text_of(options.delay);
    if (options.refuse > 0)
        text += ",refuse=" + text_of(options.refuse);
    return text;
}

} // namespace twat::mp
