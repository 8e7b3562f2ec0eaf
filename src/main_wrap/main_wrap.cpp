// SPDX-License-Identifier: BSL-1.0
// Enters the worker before the program's main, for programs whose main is not their own. Linked with -Wl,--wrap=main, which
// turns calls of main into calls of __wrap_main. Not a static constructor: globals of the program must be constructed when tasks run.
#include <twat/mp/worker.hpp>

extern "C" int __real_main(int argc, char** argv, char** environment);

extern "C" int __wrap_main(int argc, char** argv, char** environment)
{
    twat::mp::run_if_worker(argc, argv);
    return __real_main(argc, argv, environment);
}
