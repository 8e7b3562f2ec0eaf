// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_CENSUS_HPP
#define TWAT_MP_TEST_FAULTS_CENSUS_HPP

#include <iosfwd>
#include <string>

namespace twat::mp::test {

/// What a process has of each kind.
struct census
{
    int descriptors = 0;
    int children = 0; ///< Zombies among them.
    int threads = 0;
    int shared_memory = 0; ///< Names in /dev/shm with "twat" in them.
    int temporary = 0;     ///< Names in TMPDIR.

    friend bool operator==(const census&, const census&) = default;
};

std::ostream& operator<<(std::ostream& os, const census& what);

/** Counts what this process has, by a small program of its own that watches from outside.

    The watcher is forked before anything else runs, and TMPDIR becomes a folder of this program's own, since other tests run beside it. The
    watcher also ends a test that does not end: it shows what each thread of the process and of
    its children waits for, and kills them.
*/
class census_taker
{
public:
    census_taker();
    census_taker(const census_taker&) = delete;
    ~census_taker();

    census take() const;

    /// The process of the watcher, which no test may touch.
    int pid() const noexcept { return pid_; }

    static census_taker& instance();

private:
    std::string folder_;
    int ask_ = -1, answer_ = -1, pid_ = 0;
};

/// Fails the test if there is more afterwards than there was before.
class census_fixture
{
public:
    census_fixture();
    ~census_fixture();

private:
    census before_;
};

} // namespace twat::mp::test

#endif
