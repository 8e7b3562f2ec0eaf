// SPDX-License-Identifier: BSL-1.0
#ifndef WORDCOUNT_COUNT_HPP
#define WORDCOUNT_COUNT_HPP

#include <cstdint>
#include <map>
#include <string>

namespace wordcount {

/// How often each word is there.
using word_counts = std::map<std::string, std::uint64_t>;

/** Counts the words of one file: the task, which runs in a worker. Reports how far it is.

    A word is what stands between other characters than ASCII letters and digits and bytes of UTF-8 beyond them; ASCII letters in lower case.

    @throws std::system_error that names the file.
*/
word_counts count_file(const std::string& path);

} // namespace wordcount

#endif
