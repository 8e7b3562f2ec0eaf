// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_OWN_PROGRAM_HPP
#define TWAT_MP_SRC_OS_OWN_PROGRAM_HPP

#include <string>
#include <vector>

namespace twat::mp::detail {

/** How this program is started once more. */
struct own_program
{
    std::string executable;
    std::vector<std::string> arguments; ///< Behind argv[0].
};

/** Mostly `/proc/self/exe`, which is this program also when its file was replaced meanwhile.

    But not where that is another file than the one that the program's code was loaded from: under valgrind it is valgrind's tool, and the program's
    own file is started instead, without valgrind; for a program that was started as `ld.so [options] program` it is the dynamic linker, which is
    started once more with these options. Looked up once.
*/
const own_program& find_own_program();

} // namespace twat::mp::detail

#endif
