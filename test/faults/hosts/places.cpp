// SPDX-License-Identifier: BSL-1.0
// Programs in places where something that a start of workers needs is not there.
#include <twat/mp.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>

#include <elf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../expect.hpp"
#include "modes.hpp"

namespace mp = twat::mp;
using twat::mp::test::failed;

namespace {

int square(int i) { return i * i; }

/// Runs it as a process of its own; whether it succeeded.
bool in_a_child(const std::function<void()>& run)
{
    std::cout.flush();
    const int child = ::fork();
    if (child == 0) {
        run();
        ::_exit(failed ? 1 : 0);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string text_of(const std::exception& error)
{
    std::string text = error.what();
    try {
        std::rethrow_if_nested(error);
    }
    catch (const std::exception& cause) {
        text += ": " + text_of(cause);
    }
    return text;
}

/// No worker can be started, and the error says that it is for this file or call.
void expect_blame(const std::string& what)
{
    try {
        mp::pool_options options;
        options.nodes = 1;
        mp::process_pool pool(options);
        pool.start();
        EXPECT(false && "a worker was started");
    }
    catch (const std::exception& e) {
        const std::string text = text_of(e);
        std::cout << text << '\n';
        EXPECT(text.find(what) != text.npos && text.find("run_if_worker") == text.npos);
    }
}

/// A place of its own for mounts; false where that is not allowed.
bool enter_mount_namespace()
{
    if (::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0)
        return true;
    std::puts("no mount namespaces here");
    return false;
}

std::string interpreter()
{
    std::ifstream program("/proc/self/exe", std::ios::binary);
    Elf64_Ehdr header{};
    program.read(reinterpret_cast<char*>(&header), sizeof header);
    for (int i = 0; i != header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        program.seekg(static_cast<std::streamoff>(header.e_phoff + static_cast<unsigned>(i) * sizeof segment));
        program.read(reinterpret_cast<char*>(&segment), sizeof segment);
        if (segment.p_type != PT_INTERP)
            continue;
        std::string path(segment.p_filesz - 1, '\0');
        program.seekg(static_cast<std::streamoff>(segment.p_offset));
        program.read(path.data(), static_cast<std::streamsize>(path.size()));
        return path;
    }
    return {};
}

} // namespace

void small_pool()
{
    mp::process_pool pool(2);
    EXPECT(pool.apply(square, 9) == 81);
}

void started_by_the_linker()
{
    const std::string linker = interpreter(), self = std::filesystem::read_symlink("/proc/self/exe");
    if (linker.empty())
        return; // linked statically
    EXPECT(in_a_child([&] {
        ::execl(linker.c_str(), linker.c_str(), "--inhibit-cache", self.c_str(), "small_pool", nullptr);
        ::_exit(1);
    }));
}

void without_proc()
{
    EXPECT(in_a_child([] {
        if (enter_mount_namespace() && ::umount2("/proc", MNT_DETACH) == 0)
            expect_blame("/proc/self/exe: ");
    }));
}

/// `/proc` goes when the workers are there.
void shared_vector_without_proc()
{
    EXPECT(in_a_child([] {
        if (!enter_mount_namespace())
            return;
        mp::pool_options options;
        options.nodes = 1;
        mp::process_pool pool(options);
        pool.start();
        EXPECT(::mount("none", "/proc", "tmpfs", 0, nullptr) == 0);
        mp::shared_vector<int> values(1000);
        const int* const where = values.data();
        values = pool.apply(
            [](mp::shared_vector<int> all) {
                all[999] = 7;
                return all;
            },
            std::move(values));
        EXPECT(values.data() == where && values[999] == 7);
    }));
}

void without_dev_null()
{
    EXPECT(in_a_child([] {
        if (enter_mount_namespace() && ::mount("none", "/dev", "tmpfs", 0, nullptr) == 0)
            expect_blame("/dev/null: ");
    }));
}

void memfd_create_denied()
{
    EXPECT(in_a_child([] {
        sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        EXPECT(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
        expect_blame("memfd_create: ");
    }));
}
