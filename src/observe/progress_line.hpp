// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OBSERVE_PROGRESS_LINE_HPP
#define TWAT_MP_SRC_OBSERVE_PROGRESS_LINE_HPP

#include <twat/mp/options.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// What is known of the place where progress is shown.
struct progress_style
{
    bool terminal = false;  ///< A line can be drawn again.
    bool unicode = false;   ///< Terminal: can show block characters.
    std::size_t width = 80; ///< Terminal: columns.
};

/// The line for a moment, without line end. On a terminal it takes less than `width` columns.
std::string progress_line(std::string_view label, const progress& now, const progress_style& style);

/** Decides what is written when: a state machine over the `elapsed` of an operation, which needs no clock. */
class progress_writer
{
public:
    explicit progress_writer(std::string label) : label_(std::move(label)) {}

    /// What to write now; often nothing.
    std::string step(const progress& now, const progress_style& style);
    /// What to write when no more steps come.
    std::string finish();

private:
    std::string label_;
    bool drawn_ = false;                ///< Of this operation, something was written.
    bool open_ = false;                 ///< The cursor stands in a drawn line.
    bool over_ = false;                 ///< The last line of this operation was written.
    duration last_{};                   ///< When that was.
    std::optional<std::size_t> task_{}; ///< The task that reported last, and what it said.
    double fraction_ = 0;
    std::string text_{};
    duration seen_{}; ///< `elapsed` of the last step: an operation that begins sets it back.
};

} // namespace twat::mp::detail

#endif
