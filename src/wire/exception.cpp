// SPDX-License-Identifier: BSL-1.0
#include "wire/exception.hpp"

#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/errinfo_nested_exception.hpp>
#include <boost/exception_ptr.hpp>

#include <unistd.h>

#include <cstring>
#include <string>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/exception/carrier.hpp>
#include <twat/mp/detail/exception/exception_type.hpp>
#include <twat/mp/detail/exception/failure.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/exceptions.hpp>

#include "exception/exception_registry.hpp"
#include "exception/standard_exceptions.hpp"
#include "exception/thrown_exception.hpp"

// An exception is
//     type name, what(), input, details          texts
//     mangled name of the registered type, its bytes    the name empty if there is none
//     position in standard_exceptions(), its bytes      what it arrives as if the registered type cannot be made
//     0, or 1 and the nested exception
// where a text and the bytes of a type are a length and so many bytes.

namespace twat::mp::detail {
namespace {

constexpr std::size_t max_text = 64 * 1024;
constexpr int max_nesting = 16;
constexpr std::uint8_t no_standard_exception = 255; ///< Arrives as remote_error.

void write_length(encoder& out, std::uint64_t length) { out.write_bytes(&length, sizeof length); }

void write_text(encoder& out, std::string_view text, std::size_t max)
{
    std::string note;
    if (text.size() > max) {
        std::size_t kept = max;
        while (kept > max - 4 && (static_cast<unsigned char>(text[kept]) & 0xC0) == 0x80) // inside a UTF-8 character
            --kept;
        note = "... (" + std::to_string(text.size() - kept) + " bytes more)";
        text = text.substr(0, kept);
    }
    write_length(out, text.size() + note.size());
    out.write_bytes(text.data(), text.size());
    out.write_bytes(note.data(), note.size());
}

decoder read_part(decoder& in)
{
    const std::size_t length = in.read_length();
    return decoder(std::span(in.read_bytes(length), length));
}

std::uint8_t read_byte(decoder& in) { return std::to_integer<std::uint8_t>(*in.read_bytes(1)); }

/// Writes what `write` writes, with its length before it; an empty part if it throws. Returns whether it did not.
template <class Write>
bool write_part(encoder& out, Write write)
{
    const std::size_t begin = out.size();
    write_length(out, 0);
    bool written = true;
    try {
        write();
    }
    catch (...) {
        written = false;
        out.buffer().truncate(begin + sizeof(std::uint64_t));
    }
    const std::uint64_t length = out.size() - begin - sizeof length;
    std::memcpy(out.buffer().data() + begin, &length, sizeof length);
    return written;
}

/// What Boost.Exception has attached to it: where it was thrown, and the error_infos.
std::string details_of(const thrown_exception& thrown)
{
    struct copy_of_infos : boost::exception
    {};

    if (!thrown.as_boost)
        return {};
    std::string text;
    const char* const* file = boost::get_error_info<boost::throw_file>(*thrown.as_boost);
    const int* line = boost::get_error_info<boost::throw_line>(*thrown.as_boost);
    const char* const* function = boost::get_error_info<boost::throw_function>(*thrown.as_boost);
    if (file)
        text += std::string("Thrown at ") + *file + (line ? ':' + std::to_string(*line) : "") +
                (function ? std::string(" in ") + *function : "") + '\n';

    copy_of_infos infos;
    boost::exception_detail::copy_boost_exception(&infos, thrown.as_boost);
    std::string without;
    if (boost::get_error_info<boost::errinfo_nested_exception>(infos)) {
        // The nested exception travels by itself; its text would be in here once for each level.
        const boost::errinfo_nested_exception none{boost::exception_ptr()};
        infos << none;
        without = to_string(none);
    }
    std::string attached = boost::diagnostic_information(infos, false);
    if (const std::size_t at = attached.find(without); !without.empty() && at != std::string::npos)
        attached.erase(at, without.size());
    return text + attached;
}

std::string what_of(const thrown_exception& thrown, const std::exception_ptr& error, const std::string& type_name)
{
    if (!thrown.as_std)
        return describe_value(error, type_name);
    const char* what = thrown.as_std->what();
    return what ? what : "(what() of " + type_name + " returned null)";
}

void write_registered(encoder& out, const std::exception_ptr& error, const thrown_exception& thrown)
{
    const std::size_t begin = out.size();
    const exception_type* registered = nullptr;
    // A standard exception needs no search.
    if (thrown.type && !(thrown.as_std && exact_standard_exception(*thrown.type)))
        registered = find_registered(error, *thrown.type);
    if (registered) {
        encode_text(out, registered->id().name());
        if (write_part(out, [&] { registered->encode(error, out); }))
            return;
        out.buffer().truncate(begin);
    }
    write_text(out, {}, 0);
    write_length(out, 0);
}

void write_standard(encoder& out, const thrown_exception& thrown)
{
    const std::uint8_t position =
        thrown.as_std ? static_cast<std::uint8_t>(find_standard_exception(*thrown.as_std)) : no_standard_exception;
    out.write_bytes(&position, 1);
    const std::size_t begin = out.size();
    if (!write_part(out, [&] {
            if (thrown.as_std)
                standard_exceptions()[position].encode(*thrown.as_std, out);
        })) {
        out.buffer().truncate(begin - 1);
        out.write_bytes(&no_standard_exception, 1);
        write_length(out, 0);
    }
}

void write_exception(encoder& out, const std::exception_ptr& error, std::string_view input, int depth)
{
    const thrown_exception thrown(error);
    const std::string type_name = thrown.type_name();
    write_text(out, type_name, max_text);
    write_text(out, what_of(thrown, error, type_name), max_text);
    write_text(out, input, max_text);
    write_text(out, details_of(thrown), max_text);
    write_registered(out, error, thrown);
    write_standard(out, thrown);
    const std::uint8_t nests = thrown.nested && depth < max_nesting;
    out.write_bytes(&nests, 1);
    if (nests)
        write_exception(out, thrown.nested, {}, depth + 1);
}

/// The same, without all that can be missed.
void write_essence(encoder& out, const std::exception_ptr& error)
{
    constexpr std::size_t max = 256;
    const thrown_exception thrown(error);
    const std::string type_name = thrown.type_name();
    write_text(out, type_name, max);
    write_text(out, what_of(thrown, error, type_name), max);
    write_text(out, {}, 0); // input
    write_text(out, {}, 0); // details
    write_text(out, {}, 0); // registered type
    write_length(out, 0);
    write_standard(out, thrown);
    const std::uint8_t nests = 0;
    out.write_bytes(&nests, 1);
}

std::exception_ptr read_exception(decoder& in, exception_facts facts, int depth)
{
    facts.type_name = decode_text(in);
    const std::string what = decode_text(in);
    facts.input = decode_text(in);
    facts.details = decode_text(in);
    const std::string registered_name = decode_text(in);
    decoder registered_part = read_part(in);
    const std::uint8_t position = read_byte(in);
    decoder standard_part = read_part(in);
    if (read_byte(in) != 0) {
        if (depth >= max_nesting)
            throw error(errc::decode_failed, "exceptions are nested too deeply");
        facts.cause = read_exception(in, {}, depth + 1);
    }

    if (const exception_type* registered = registered_name.empty() ? nullptr : find_registered(registered_name))
        try {
            return registered->decode(registered_part, facts);
        }
        catch (...) {
            // The standard base still tells most of it.
        }
    if (position < standard_exceptions().size())
        return standard_exceptions()[position].decode(standard_part, what, facts);
    if (position != no_standard_exception)
        throw error(errc::decode_failed, "no such type of exception");
    return carry<remote_error>([&] { return remote_error(facts.type_name, what); }, facts);
}

} // namespace

void encode_text(encoder& out, const char* text) { write_text(out, text ? text : "", max_text); }

std::string decode_text(decoder& in)
{
    const std::size_t length = in.read_length();
    return std::string(reinterpret_cast<const char*>(in.read_bytes(length)), length);
}

void encode_exception(encoder& out, const std::exception_ptr& error, const exception_context& context) noexcept
{
    const std::size_t begin = out.size();
    try {
        write_exception(out, error, context.input, 0);
        return;
    }
    catch (...) {
        out.buffer().truncate(begin);
    }
    try {
        write_essence(out, error);
    }
    catch (...) {
        out.buffer().truncate(begin);
    }
}

std::exception_ptr decode_exception(decoder& in, std::optional<std::uint64_t> index, int pid) noexcept
{
    try {
        exception_facts facts;
        facts.task_index = index;
        facts.worker_pid = pid;
        try {
            if (in.remaining() != 0)
                return read_exception(in, facts, 0);
            return carry<remote_error>(
                [] { return remote_error("unknown", "an exception that the worker could not describe"); }, facts);
        }
        catch (const error& e) {
            const std::string why = std::string("an exception of a task: ") + e.what();
            return carry<error>([&] { return error(errc::decode_failed, why); }, facts);
        }
    }
    catch (...) {
        return std::current_exception();
    }
}

void write_failure(encoder& out, const std::exception_ptr& error, const std::string& input)
{
    encoder whole;
    encode_exception(whole, error, {input});
    out.write(static_cast<std::int32_t>(::getpid()));
    out.write(static_cast<std::uint64_t>(whole.size()));
    out.write_bytes(whole.bytes().data(), whole.size());
}

std::exception_ptr read_failure(decoder& in)
{
    const auto pid = in.read<std::int32_t>();
    const std::size_t size = in.read_length();
    decoder whole({in.read_bytes(size), size});
    return decode_exception(whole, std::nullopt, pid);
}

} // namespace twat::mp::detail
