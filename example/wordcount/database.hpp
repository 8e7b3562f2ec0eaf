// SPDX-License-Identifier: BSL-1.0
#ifndef WORDCOUNT_DATABASE_HPP
#define WORDCOUNT_DATABASE_HPP

#include <string>

#include "count.hpp"

namespace wordcount {

/** Writes the counts into a SQLite database, as the table `words(word, count)`.

    It gets its name when it is complete, in the place of one that is there.

    @throws std::runtime_error that names the file.
*/
void write_database(const std::string& path, const word_counts& counts);

} // namespace wordcount

#endif
