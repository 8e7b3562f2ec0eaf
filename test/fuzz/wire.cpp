// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/error.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

#include "os/descriptor.hpp"
#include "process/held_chunks.hpp"
#include "targets.hpp"
#include "wire/exception.hpp"
#include "wire/frame.hpp"
#include "exception/parcel_content.hpp"
#include "function/function.hpp"
#include "wire/messages.hpp"
#include "shm/result_ring.hpp"

namespace twat::mp::fuzz {

using namespace detail;

namespace {

/// Runs it; `code` is the only error that it may end in.
template <class F>
void only(errc code, F run)
{
    try {
        run();
    }
    catch (const error& e) {
        TWAT_MP_FUZZ_EXPECT(e.code() == code);
    }
}

/// Reads every byte, so that a sanitizer sees those that are not there.
void touch(input bytes)
{
    volatile unsigned sum = 0;
    for (const std::byte b : bytes)
        sum = sum + std::to_integer<unsigned>(b);
}

} // namespace

// The first byte says how many bytes arrive at a time.
void frames(input bytes)
{
    if (bytes.empty())
        return;
    constexpr std::uint64_t limit = 100'000;
    const std::size_t piece = std::max<std::size_t>(1, std::to_integer<std::size_t>(bytes.front()));
    bytes = bytes.subspan(1);
    frame_reader reader(limit);
    only(errc::protocol_error, [&] {
        while (!bytes.empty()) {
            const auto space = reader.space();
            TWAT_MP_FUZZ_EXPECT(!space.empty());
            const std::size_t n = std::min({piece, space.size(), bytes.size()});
            std::memcpy(space.data(), bytes.data(), n);
            reader.add(n);
            bytes = bytes.subspan(n);
            for (;;) {
                const bool has = reader.has_frame();
                const auto arrived = reader.next();
                TWAT_MP_FUZZ_EXPECT(has == arrived.has_value());
                if (!arrived)
                    break;
                TWAT_MP_FUZZ_EXPECT(arrived->bytes.size() == arrived->header.length && arrived->header.length <= limit);
                touch(arrived->bytes);
            }
        }
    });
}

void handshake(input bytes)
{
    only(errc::protocol_error, [&] {
        const hello_message message = read_hello(bytes);
        touch(std::as_bytes(std::span(message.build)));
        touch(message.initializer);
        touch(message.finalizer);
    });
    only(errc::protocol_error, [&] { touch(std::as_bytes(std::span(read_hello_reply(bytes).build))); });
}

void chunks(input bytes)
{
    only(errc::protocol_error, [&] {
        const received_chunk chunk = read_chunk(bytes);
        TWAT_MP_FUZZ_EXPECT(chunk.message.count != 0);
        std::size_t sum = 0;
        for (std::uint32_t i = 0; i != chunk.message.count && i != 100'000; ++i) {
            touch(chunk.arguments[i]);
            sum += chunk.arguments[i].size();
        }
        TWAT_MP_FUZZ_EXPECT(sum <= bytes.size());
    });
}

namespace {

class counted_payload final : public payload
{
public:
    explicit counted_payload(std::size_t n) : n_(n) {}
    std::size_t size() const noexcept override { return n_; }
    std::unique_ptr<payload> split(std::size_t position) override
    {
        return std::make_unique<counted_payload>(n_ - std::exchange(n_, position));
    }

private:
    std::size_t n_;
};

const shared_page& the_page()
{
    static const shared_page page = [] {
        boost::system::error_code ec;
        const page_layout layout{8, 4096};
        const auto fd = make_page(shared_page::size_of(layout), ec);
        TWAT_MP_FUZZ_EXPECT(!ec);
        return shared_page::create(fd.get(), layout);
    }();
    return page;
}

} // namespace

// The first eight bytes are what the worker has written into its claim word and mark; behind them lie records.
void records(input bytes)
{
    if (bytes.size() < 16)
        return;
    held_chunks held(the_page());
    for (chunk_id id = 1; id <= 3; ++id) {
        auto work = std::make_shared<chunk>();
        work->id = id;
        work->count = id * 2;
        work->timeout = std::chrono::seconds(1);
        work->tasks = std::make_unique<counted_payload>(work->count);
        held.add(*work);
    }
    std::uint64_t words[2];
    std::memcpy(words, bytes.data(), sizeof words);
    the_page().slot(0).claim.store(words[0]);
    the_page().slot(0).mark.store(words[1]);
    the_page().slot(0).begun_at.store(static_cast<std::int64_t>(words[0]));
    bytes = bytes.subspan(16);
    if (const auto kept = held.recall(1))
        TWAT_MP_FUZZ_EXPECT(*kept <= 2);
    static_cast<void>(held.running(1, time_point(std::chrono::hours(1))));
    only(errc::protocol_error, [&] {
        record_reader records;
        while (const auto one = records.next(bytes)) {
            for (std::uint32_t i = 0; i < one->count; ++i)
                touch({one->bytes.data() + i * (one->bytes.size() + short_header_size), one->bytes.size()});
            held.note(*one);
            if (const process_chunk* const noted = held.find(one->chunk))
                TWAT_MP_FUZZ_EXPECT(noted->done <= noted->kept && noted->kept <= noted->count);
        }
    });
    for (const auto& begun : held.begun())
        TWAT_MP_FUZZ_EXPECT(begun.position < 6);
    TWAT_MP_FUZZ_EXPECT(held.outstanding() <= 12);
}

void exceptions(input bytes)
{
    decoder in(bytes);
    const std::exception_ptr error = decode_exception(in, 7, 4711);
    TWAT_MP_FUZZ_EXPECT(error != nullptr);
    try {
        std::rethrow_exception(error);
    }
    catch (const std::exception& e) {
        touch(std::as_bytes(std::span(e.what(), std::strlen(e.what()))));
    }
    catch (...) {
    }
}

void functions(input bytes)
{
    decoder in(bytes);
    try {
        static_cast<void>(decode_function(in));
    }
    catch (const error& e) {
        TWAT_MP_FUZZ_EXPECT(e.code() == errc::unknown_function || e.code() == errc::decode_failed ||
                            e.code() == errc::build_mismatch);
    }
}

// Behind the checksum, too, which a hostile file gets right.
void parcels(input bytes)
{
    const auto read = [](auto&& decode) {
        try {
            const parcel_call call = decode();
            const std::string file = encode_parcel(call);
            const parcel_call again = decode_parcel(std::as_bytes(std::span(file)));
            TWAT_MP_FUZZ_EXPECT(again.arguments == call.arguments && again.environment == call.environment);
        }
        catch (const error& e) {
            TWAT_MP_FUZZ_EXPECT(e.code() == errc::decode_failed);
        }
    };
    read([&] { return decode_parcel(bytes); });
    read([&] {
        decoder in(bytes);
        return in.read<parcel_call>();
    });
}

} // namespace twat::mp::fuzz
