// SPDX-License-Identifier: BSL-1.0
#include "tasks.hpp"

#include <twat/mp/worker.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <string_view>
#include <vector>

namespace offload {
namespace {

/// SHA-256, as FIPS 180-4 has it: short, not fast.
class sha256
{
public:
    using digest = std::array<unsigned char, 32>;

    void add(const unsigned char* bytes, std::size_t size)
    {
        total_ += size;
        while (size != 0) {
            const std::size_t n = std::min(size, sizeof block_ - used_);
            std::memcpy(block_ + used_, bytes, n);
            used_ += n;
            bytes += n;
            size -= n;
            if (used_ == sizeof block_)
                take_block();
        }
    }

    digest finish()
    {
        const std::uint64_t bits = total_ * 8;
        const unsigned char one = 0x80, zero = 0;
        add(&one, 1);
        while (used_ != 56)
            add(&zero, 1);
        unsigned char length[8];
        for (int i = 0; i < 8; ++i)
            length[i] = static_cast<unsigned char>(bits >> (56 - 8 * i));
        add(length, 8);
        digest d;
        for (std::size_t i = 0; i < d.size(); ++i)
            d[i] = static_cast<unsigned char>(h_[i / 4] >> (24 - 8 * (i % 4)));
        return d;
    }

private:
    void take_block()
    {
        std::array<std::uint32_t, 64> w;
        for (std::size_t i = 0; i < 16; ++i)
            w[i] = static_cast<std::uint32_t>(block_[4 * i]) << 24 |
                   static_cast<std::uint32_t>(block_[4 * i + 1]) << 16 |
                   static_cast<std::uint32_t>(block_[4 * i + 2]) << 8 | block_[4 * i + 3];
        for (std::size_t i = 16; i < 64; ++i)
            w[i] = w[i - 16] + w[i - 7] + (std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3)) +
                   (std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10));
        auto s = h_;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t one = s[7] + (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) +
                                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + k_[i] + w[i];
            const std::uint32_t two = (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) +
                                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            s = {one + two, s[0], s[1], s[2], s[3] + one, s[4], s[5], s[6]};
        }
        for (std::size_t i = 0; i < 8; ++i)
            h_[i] += s[i];
        used_ = 0;
    }

    static constexpr std::array<std::uint32_t, 64> k_{
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

    std::array<std::uint32_t, 8> h_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    unsigned char block_[64] = {};
    std::size_t used_ = 0;
    std::uint64_t total_ = 0;
};

/// HMAC with a key that is hashed once.
class hmac
{
public:
    explicit hmac(std::string_view key)
    {
        std::array<unsigned char, 64> block{};
        if (key.size() > block.size()) {
            sha256 s;
            s.add(reinterpret_cast<const unsigned char*>(key.data()), key.size());
            const auto d = s.finish();
            std::memcpy(block.data(), d.data(), d.size());
        } else
            std::memcpy(block.data(), key.data(), key.size());
        for (unsigned char& c : block)
            c ^= 0x36;
        inner_.add(block.data(), block.size());
        for (unsigned char& c : block)
            c ^= 0x36 ^ 0x5c;
        outer_.add(block.data(), block.size());
    }

    sha256::digest operator()(const unsigned char* bytes, std::size_t size) const
    {
        sha256 inner = inner_, outer = outer_;
        inner.add(bytes, size);
        const auto d = inner.finish();
        outer.add(d.data(), d.size());
        return outer.finish();
    }

private:
    sha256 inner_, outer_;
};

} // namespace

std::string hash(std::string password, std::string salt, std::uint64_t rounds)
{
    const auto stop = twat::mp::this_task::stop_token();
    const hmac keyed(password);
    salt += std::string("\0\0\0\1", 4); // the number of the block, the only one
    auto u = keyed(reinterpret_cast<const unsigned char*>(salt.data()), salt.size());
    auto sum = u;
    for (std::uint64_t i = 1; i < rounds; ++i) {
        u = keyed(u.data(), u.size());
        for (std::size_t k = 0; k < sum.size(); ++k)
            sum[k] ^= u[k];
        if (i % 1024 == 0 && stop.stop_requested())
            break;
    }
    std::string text;
    for (const unsigned char c : sum) {
        text += "0123456789abcdef"[c >> 4];
        text += "0123456789abcdef"[c & 15];
    }
    return text;
}

std::string primes(std::uint64_t begin, std::uint64_t end)
{
    begin = std::max<std::uint64_t>(begin, 2);
    if (begin >= end)
        return {};
    const auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(end))) + 1;
    std::vector<bool> small(root + 1, true), here(end - begin, true);
    for (std::uint64_t p = 2; p <= root; ++p) {
        if (!small[p])
            continue;
        for (std::uint64_t n = p * p; n <= root; n += p)
            small[n] = false;
        for (std::uint64_t n = std::max(p * p, (begin + p - 1) / p * p); n < end; n += p)
            here[n - begin] = false;
    }
    std::string text;
    for (std::uint64_t n = begin; n < end; ++n)
        if (here[n - begin])
            (text += std::to_string(n)) += '\n';
    return text;
}

int slow(int milliseconds)
{
    const auto stop = twat::mp::this_task::stop_token();
    const auto begun = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::steady_clock::now() - begun; };
    while (passed() < std::chrono::milliseconds(milliseconds) && !stop.stop_requested())
        ;
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(passed()).count());
}

int crash(int)
{
    return std::raise(SIGSEGV); // what reading there comes to, but no compiler takes it away
}

} // namespace offload
