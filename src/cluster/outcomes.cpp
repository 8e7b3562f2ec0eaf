// SPDX-License-Identifier: BSL-1.0
#include "cluster/outcomes.hpp"

#include <cstring>
#include <exception>

#include <boost/exception/get_error_info.hpp>

#include <twat/mp/encoder.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker_died.hpp>

#include "wire/exception.hpp"

namespace twat::mp::detail::cluster {
namespace {

/// As it arrived from the worker, but that it names the host.
class worker_died_on_host final : public worker_died
{
public:
    worker_died_on_host(const worker_died& e, const std::string& host)
        : worker_died(e), what_(std::string(e.what()) + " (on " + host + ")")
    {}
    const char* what() const noexcept override { return what_.c_str(); }

private:
    std::string what_;
};

std::exception_ptr name_host(const std::exception_ptr& error, const std::string& host)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const worker_died& e) {
        return std::make_exception_ptr(worker_died_on_host(e, host));
    }
    catch (...) {
        return error;
    }
}

int pid_of(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const worker_died& e) {
        return e.pid();
    }
    catch (const boost::exception& e) {
        const int* const pid = boost::get_error_info<errinfo_worker_pid>(e);
        return pid ? *pid : 0;
    }
    catch (...) {
        return 0;
    }
}

std::string input_of(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::exception& e) {
        const std::string* const input = boost::get_error_info<errinfo_input>(e);
        return input ? *input : std::string();
    }
    catch (...) {
        return {};
    }
}

} // namespace

void outcome_collector::add(std::size_t position, std::span<const std::byte> bytes, outcome_record::kind what, int pid)
{
    outcome_record& record = records_[position];
    if (record.what != outcome_record::missing)
        return;
    record = {bytes_.size(), bytes.size(), pid, what};
    bytes_.append(bytes.data(), bytes.size());
}

void outcome_collector::add_value(std::size_t position, std::span<const std::byte> value)
{
    add(position, value, outcome_record::value, 0);
}

void outcome_collector::add_failure(std::size_t position, const std::exception_ptr& error, const std::string& host)
{
    encoder out;
    encode_exception(out, name_host(error, host), {input_of(error)});
    add(position, out.bytes(), outcome_record::failure, pid_of(error));
}

std::vector<std::byte> outcome_collector::take()
{
    const auto records = std::as_bytes(std::span(records_));
    std::vector<std::byte> all;
    all.reserve(records.size() + bytes_.size());
    all.insert(all.end(), records.begin(), records.end());
    all.insert(all.end(), bytes_.data(), bytes_.data() + bytes_.size());
    return all;
}

outcome_reader::outcome_reader(std::span<const std::byte> body, std::size_t count)
    : records_(body.data()), count_(count)
{
    if (body.size() / sizeof(outcome_record) < count)
        throw error(errc::decode_failed, "an agent sent fewer outcomes than the chunk has tasks");
    bytes_ = body.subspan(count * sizeof(outcome_record));
    for (std::size_t i = 0; i != count; ++i) {
        const outcome_record r = (*this)[i];
        if (r.offset > bytes_.size() || r.size > bytes_.size() - r.offset || r.what < outcome_record::missing ||
            r.what > outcome_record::failure)
            throw error(errc::decode_failed, "an agent sent malformed outcomes");
    }
}

outcome_record outcome_reader::operator[](std::size_t position) const noexcept
{
    outcome_record record;
    std::memcpy(&record, records_ + position * sizeof record, sizeof record);
    return record;
}

std::span<const std::byte> outcome_reader::bytes(const outcome_record& record) const noexcept
{
    return bytes_.subspan(static_cast<std::size_t>(record.offset), static_cast<std::size_t>(record.size));
}

std::size_t outcome_reader::neighbours(std::size_t position) const noexcept
{
    const outcome_record first = (*this)[position];
    std::size_t n = 0;
    for (; position + n != count_; ++n) {
        const outcome_record r = (*this)[position + n];
        if (r.what != outcome_record::value || r.size != first.size || r.offset != first.offset + n * first.size)
            break;
    }
    return n;
}

} // namespace twat::mp::detail::cluster
