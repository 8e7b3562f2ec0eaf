// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_OPERATION_TABLE_HPP
#define TWAT_MP_SRC_ENGINE_OPERATION_TABLE_HPP

#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

#include "engine/state.hpp"

namespace twat::mp::detail {

/** What an engine knows of the operations that are not over. Owns it.

    An operation knows its own place, as it is in one engine at a time: a million calls may wait, and a hash table would cost each event of
    one of them two reads of memory that no cache has.
*/
class operation_table
{
public:
    operation_table() = default;
    operation_table(const operation_table&) = delete;
    operation_table& operator=(const operation_table&) = delete;
    ~operation_table()
    {
        while (!all_.empty())
            extract(all_.front());
    }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    /// Null: it is not there.
    operation_state* find(const operation& op) const noexcept
    {
        operation_state* const found = op.known_as();
        return found && found->in == this ? found : nullptr;
    }

    void add(std::unique_ptr<operation_state> state) noexcept
    {
        assert(!state->op->known_as());
        state->in = this;
        state->op->set_known_as(state.get());
        all_.push_back(*state.release());
        ++size_;
    }

    std::unique_ptr<operation_state> extract(operation_state& state) noexcept
    {
        all_.erase(all_.iterator_to(state));
        --size_;
        state.op->set_known_as(nullptr);
        return std::unique_ptr<operation_state>(&state);
    }

private:
    hooked_list<operation_state, known_tag> all_;
    std::size_t size_ = 0;
};

} // namespace twat::mp::detail

#endif
