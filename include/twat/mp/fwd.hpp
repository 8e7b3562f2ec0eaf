// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_FWD_HPP
#define TWAT_MP_FWD_HPP

#include <boost/asio/any_io_executor.hpp>

#include <twat/mp/config.hpp>

namespace twat::mp {

struct process_workers;
struct thread_workers;
struct any_workers;

template <class Workers, class Executor = asio::any_io_executor>
class basic_async_pool;
template <class R>
class result_stream;
template <class T>
class future;
template <class Workers>
class multi_pool;

/// A pool of child worker processes with awaitable operations.
using async_multi_pool = basic_async_pool<process_workers>;
/// The same, named like `process_pool`.
using async_process_pool = async_multi_pool;
/// A pool of worker threads with awaitable operations.
using async_thread_pool = basic_async_pool<thread_workers>;
/// A pool of child worker processes whose operations block.
using process_pool = multi_pool<process_workers>;
/// A pool of worker threads whose operations block.
using thread_pool = multi_pool<thread_workers>;

class encoder;
class decoder;
template <class T>
struct codec;

class task;
struct pool_options;
struct call_options;
struct pool_stats;
struct pool_event;
struct progress;
struct pool_dump;
class parcel;
struct trace_event;
class hedge_delay;
class histogram;
class trace_file;

enum class errc : int;
class error;
class worker_died;
class remote_error;

} // namespace twat::mp

#endif
