// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_RELAY_OPERATION_HPP
#define TWAT_MP_SRC_CLUSTER_RELAY_OPERATION_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twat/mp/detail/operation/operation.hpp>

#include "cluster/messages.hpp"
#include "cluster/outcomes.hpp"

namespace twat::mp::detail::cluster {

/** A chunk of another pool's operation, as an operation of the local pool of an agent: bytes in, bytes out. */
class relay_operation final : public operation
{
public:
    using done_handler = std::function<void(std::vector<std::byte> outcomes)>;

    /// @param body As `task_message` says. @param host Of this agent. @param done Called on the pool's strand, once.
    relay_operation(const task_message& task, std::vector<std::byte> body, std::optional<duration> remaining,
                    std::string host, done_handler done);

    attached_bytes encode_function(bool by_name) override;
    std::unique_ptr<payload> make_payload() const override { return std::make_unique<encoded_payload>(); }
    pull_result pull(payload& into, std::size_t max, std::size_t limit) override;
    std::exception_ptr store(const finished_task& task) noexcept override;
    void store_failure(std::uint64_t index, std::exception_ptr error) noexcept override;
    void complete(std::exception_ptr error) noexcept override;

private:
    std::span<const std::byte> arguments(std::size_t position) const;

    const task_message task_;
    const std::vector<std::byte> body_;
    const std::string host_;
    outcome_collector outcomes_;
    done_handler done_;
    std::size_t next_ = 0;
    std::size_t begin_ = 0; ///< Of the next task's arguments.
    std::span<const std::byte> ends_, arguments_;
};

/// The body of a chunk: function, where arguments end unless they are of one size, arguments.
std::vector<std::byte> make_task_body(task_message& task, std::span<const std::byte> function,
                                      const encoded_payload& tasks);

} // namespace twat::mp::detail::cluster

#endif
