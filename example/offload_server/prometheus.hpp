// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PROMETHEUS_HPP
#define OFFLOAD_PROMETHEUS_HPP

#include <twat/mp/histogram.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace offload {

/** Writes metrics in the text format of Prometheus. */
class prometheus_text
{
public:
    /// In front of the values of a metric, once.
    void head(const char* name, const char* type, const char* help)
    {
        text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    }

    /// Labels as `name="value",...`.
    void value(const std::string& name, const std::string& labels, double value)
    {
        char number[40];
        std::snprintf(number, sizeof number, "%.15g", value);
        text_ += name + (labels.empty() ? "" : "{" + labels + "}") + " " + number + "\n";
    }

    void single(const char* name, const char* type, const char* help, double number)
    {
        head(name, type, help);
        value(name, "", number);
    }

    void histogram(const std::string& name, const std::string& labels, const twat::mp::histogram& h)
    {
        const std::string more = labels.empty() ? "" : labels + ",";
        for (const double limit : {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                                   30.0, 60.0, 120.0}) {
            char le[24];
            std::snprintf(le, sizeof le, "%g", limit);
            const auto bound =
                std::chrono::duration_cast<twat::mp::histogram::duration>(std::chrono::duration<double>(limit));
            value(name + "_bucket", more + "le=\"" + le + "\"", static_cast<double>(h.count_up_to(bound)));
        }
        value(name + "_bucket", more + "le=\"+Inf\"", static_cast<double>(h.count()));
        value(name + "_sum", labels, std::chrono::duration<double>(h.sum()).count());
        value(name + "_count", labels, static_cast<double>(h.count()));
    }

    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

/// `process_*`, as all exporters name what the system knows of a process; of this one, without its workers.
void write_process(prometheus_text& text);

/// `offload_build_info`: what this program is made of.
void write_build(prometheus_text& text);

} // namespace offload

#endif
