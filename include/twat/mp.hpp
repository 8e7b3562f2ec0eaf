// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_HPP
#define TWAT_MP_HPP

#include <twat/mp/as_completed.hpp>
#include <twat/mp/async_pool.hpp>
#include <twat/mp/bind_to_peer.hpp>
#include <twat/mp/call_handle.hpp>
#include <twat/mp/categories.hpp>
#include <twat/mp/chunked.hpp>
#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/default_pool.hpp>
#include <twat/mp/drain_report.hpp>
#include <twat/mp/encoder.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/future.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/histogram.hpp>
#include <twat/mp/later.hpp>
#include <twat/mp/life_phase.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/progress_bar.hpp>
#include <twat/mp/register_exception.hpp>
#include <twat/mp/register_function.hpp>
#include <twat/mp/result.hpp>
#include <twat/mp/result_range.hpp>
#include <twat/mp/result_stream.hpp>
#include <twat/mp/run.hpp>
#include <twat/mp/serialization.hpp>
#include <twat/mp/shared_vector.hpp>
#include <twat/mp/stacktrace.hpp>
#include <twat/mp/task.hpp>
#include <twat/mp/tenant.hpp>
#include <twat/mp/trace_event.hpp>
#include <twat/mp/trace_file.hpp>
#include <twat/mp/version.hpp>
#include <twat/mp/with_pool.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>
#include <twat/mp/wrappers.hpp>

#endif
