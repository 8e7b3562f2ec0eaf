// SPDX-License-Identifier: BSL-1.0
// Writes sound bytes for each target, from which a fuzzer sets out.
//
//   fuzz_seeds FOLDER          one folder in it for each target
#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>

#include <boost/throw_exception.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "everything.hpp"
#include "exception/parcel_content.hpp"
#include "targets.hpp"
#include "shm/claim.hpp"
#include "wire/exception.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "function/module.hpp"
#include "shm/result_ring.hpp"

namespace {

using namespace twat::mp;
using namespace twat::mp::detail;
namespace fuzz = twat::mp::fuzz;

std::filesystem::path folder;

void write(const std::string& target, const std::string& name, std::span<const std::byte> bytes)
{
    std::filesystem::create_directories(folder / target);
    std::ofstream(folder / target / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::span<const std::byte> text(std::string_view text) { return std::as_bytes(std::span(text)); }

void write_frames()
{
    for (const unsigned char piece : {1, 7, 255}) {
        byte_buffer out;
        out.append(&piece, 1);
        append_frame(out, {frame_type::ready, 0, 0, 0});
        append_frame(out, {frame_type::result, 0, 1, 0}, text("a result"));
        append_frame(out, {frame_type::pong, 0, 7, 0}, text(std::string(300, 'x')));
        write("frames", "three_by_" + std::to_string(piece), out.bytes());
    }
}

void write_parcels()
{
    parcel_call call{.build = "build",
                     .program = "/bin/program",
                     .types = "int",
                     .reason = "worker 0 was killed",
                     .function = {"place", "name"},
                     .initializer = {"place", ""},
                     .state = {},
                     .arguments = "1234",
                     .index = 3,
                     .directory = "/",
                     .environment = {"A=1", "B=2"}};
    write("parcels", "call", text(encode_parcel(call)));
    encoder body;
    body.write(call);
    write("parcels", "body", body.bytes());
}

void write_handshake()
{
    byte_buffer hello, reply;
    write_hello(hello, {.version = protocol_version,
                        .debug = true,
                        .node = 1,
                        .nodes = 2,
                        .child_concurrency = 16,
                        .max_message_size = 1 << 20,
                        .build = "a build",
                        .initializer = text("an initializer"),
                        .state = text("a state"),
                        .finalizer = text("a finalizer"),
                        .spin = std::chrono::microseconds(50)});
    write_hello_reply(reply, {.version = protocol_version, .pid = 4711, .nonce = 42, .build = "a build"});
    write("handshake", "hello", hello.bytes());
    write("handshake", "reply", reply.bytes());
}

void write_chunks()
{
    encoded_payload equal, unequal;
    for (const auto& [to, texts] : {std::pair(&equal, std::vector<std::string>{"abc", "def"}),
                                    std::pair(&unequal, std::vector<std::string>{"a", "", "bcd"})})
        for (const std::string& argument : texts) {
            to->buffer().append(argument.data(), argument.size());
            to->end_task();
        }
    chunk_message message;
    message.op = 1;
    message.timeout = std::chrono::seconds(1);
    for (const auto* payload : {&equal, &unequal}) {
        message.count = static_cast<std::uint32_t>(payload->size());
        byte_buffer out;
        write_chunk_start(out, 1, message, *payload);
        out.append(payload->bytes().data(), payload->bytes().size());
        write("chunks", payload == &equal ? "equal" : "unequal", out.bytes().subspan(frame_header_size));
        message.remaining = std::chrono::seconds(2);
    }
}

void write_records()
{
    byte_buffer out;
    const std::uint64_t words[2] = {pack(claim_state{1, 1, false}), pack(mark_state{1, 0})};
    out.append(words, sizeof words);
    const std::int64_t busy = 1000;
    const auto put = [&](const record& what) {
        write_record_header(out.extend(record_header_size), what);
        out.append(what.bytes.data(), what.bytes.size());
    };
    put({1, 0, record_kind::value, text("value")});
    put({1, 1, record_kind::failure, text("failure")});
    put({1, 0, record_kind::ended, std::as_bytes(std::span(&busy, 1))});
    put({2, 0, record_kind::value, {}});
    write("records", "some", out.bytes());
}

template <std::size_t... I>
void write_values(std::index_sequence<I...>)
{
    const auto one = [](std::size_t index, const fuzz::everything& value) {
        encoder out;
        out.write(value);
        write("values", "empty_" + std::to_string(index), out.bytes());
    };
    (one(I, fuzz::everything(std::in_place_index<I>)), ...);
    auto full = [n = 0](fuzz::everything value) mutable {
        encoder out;
        out.write(value);
        write("values", "full_" + std::to_string(n++), out.bytes());
    };
    full(std::string("text"));
    full(std::vector<bool>{true, false, true});
    full(std::vector<std::string>{"one", "two"});
    full(std::vector<std::optional<fuzz::leaf>>{fuzz::leaf{1, true, "leaf"}, std::nullopt});
    full(std::unordered_map<std::string, std::vector<fuzz::leaf>>{{"key", {{1, true, "leaf"}}}});
    full(std::multimap<int, std::optional<int>>{{1, 2}, {1, std::nullopt}});
    full(std::make_error_code(std::errc::no_such_file_or_directory));
    full(std::filesystem::path("/a/b"));
    full(std::vector<std::vector<std::vector<int>>>{{{1, 2}, {3}}, {}});
    fuzz::tree tree{{1, true, "root"}, {}, nullptr};
    tree.kids.push_back({{2, false, "kid"}, {}, nullptr});
    tree.twin = std::make_unique<fuzz::tree>(fuzz::tree{{3, true, "twin"}, {}, nullptr});
    full(std::move(tree));
}

template <class E>
void write_exception(const std::string& name, const E& thrown)
{
    encoder out;
    try {
        boost::throw_exception(thrown);
    }
    catch (...) {
        encode_exception(out, std::current_exception(), {"1, 2"});
    }
    write("exceptions", name, out.bytes());
}

void write_exceptions()
{
    write_exception("standard", std::domain_error("boom"));
    write_exception("bad_alloc", std::bad_alloc());
    write_exception("system", std::system_error(std::make_error_code(std::errc::timed_out), "what"));
    write_exception("own", error(errc::decode_failed, "what"));
    encoder out;
    try {
        try {
            throw 42;
        }
        catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    }
    catch (...) {
        encode_exception(out, std::current_exception());
    }
    write("exceptions", "nested", out.bytes());
}

int square(int i) { return i * i; }

void write_functions()
{
    const auto lambda = [](int i) { return i; };
    const attached_bytes of_lambda = encode_function<decltype(lambda), int>(lambda, false);
    const attached_bytes of_pointer = encode_function<int (*)(int), int>(square, false);
    write("functions", "lambda", of_lambda.bytes.bytes());
    write("functions", "pointer", of_pointer.bytes.bytes());
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2)
        return 2;
    folder = argv[1];
    write_frames();
    write_handshake();
    write_parcels();
    write_chunks();
    write_records();
    write_values(std::make_index_sequence<std::variant_size_v<fuzz::everything>>());
    write_exceptions();
    write_functions();
}
