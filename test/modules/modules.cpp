// SPDX-License-Identifier: BSL-1.0
// Sends functions of every kind, from several files, a static and a shared library, to a second run of this program, at other
// addresses, and compares what they return there with what they return here.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/included/unit_test.hpp>

#include <cstdlib>
#include <exception>
#include <spawn.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "far_call.hpp"
#include "function/function.hpp"
#include "function/module.hpp"

extern char** environ;

namespace twat::mp::test {
namespace {

class memory_file
{
public:
    memory_file() : fd_(::memfd_create("calls", MFD_CLOEXEC))
    {
        if (fd_ < 0)
            throw std::system_error(errno, std::generic_category(), "memfd_create");
    }
    memory_file(const memory_file&) = delete;
    memory_file& operator=(const memory_file&) = delete;
    ~memory_file() { ::close(fd_); }
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

std::string read_file(int fd)
{
    std::string all(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
    for (std::size_t at = 0; at < all.size();) {
        const auto n = ::pread(fd, all.data() + at, all.size() - at, static_cast<off_t>(at));
        if (n <= 0)
            throw std::system_error(errno, std::generic_category(), "pread");
        at += static_cast<std::size_t>(n);
    }
    return all;
}

void write_file(int fd, std::string_view text)
{
    for (std::size_t at = 0; at < text.size();) {
        const auto n = ::pwrite(fd, text.data() + at, text.size() - at, static_cast<off_t>(at));
        if (n <= 0)
            throw std::system_error(errno, std::generic_category(), "pwrite");
        at += static_cast<std::size_t>(n);
    }
}

std::span<const std::byte> bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The second run: reads {function, arguments} from descriptor 0 and writes {error, result} to descriptor 1.
int serve()
{
    const std::string input = read_file(0);
    decoder calls(bytes_of(input));
    encoder answers;
    answers.write(detail::loaded_modules()->front()->base());
    while (calls.remaining() != 0) {
        const auto function = calls.read<std::string>();
        const auto arguments = calls.read<std::string>();
        std::string failure, result;
        try {
            decoder from(bytes_of(function));
            const auto f = detail::decode_function(from);
            decoder in(bytes_of(arguments));
            encoder out;
            f->call(in, out);
            result = text_of(out.bytes());
        }
        catch (const std::exception& e) {
            failure = e.what();
        }
        answers.write(failure);
        answers.write(result);
    }
    write_file(1, text_of(answers.bytes()));
    return 0;
}

std::string run_again(const std::string& input)
{
    const memory_file in, out;
    write_file(in.fd(), input);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.fd(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.fd(), 1);
    std::string name = "modules", mode = "--serve-calls";
    char* arguments[] = {name.data(), mode.data(), nullptr};
    ::pid_t child = 0;
    const int failed = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        throw std::system_error(failed, std::generic_category(), "posix_spawn");
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    BOOST_TEST(status == 0);
    return read_file(out.fd());
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_modules)

BOOST_AUTO_TEST_CASE(functions_are_the_same_ones_in_a_second_run_of_the_program)
{
    std::vector<far_call> calls;
    add_calls_of_file_1(calls);
    add_calls_of_file_2(calls);
    add_calls_of_static_library(calls);
    add_calls_of_shared_library(calls);
    for (int which = 0; which < 2; ++which)
        calls.push_back(make_call("pointer from the shared library", function_of_shared_library(which), 3));
    calls.push_back(make_call("function of the C library", static_cast<int (*)(int)>(&std::abs), -3));

    encoder out;
    for (const auto& call : calls) {
        out.write(call.function);
        out.write(call.arguments);
    }
    const std::string output = run_again(text_of(out.bytes()));
    decoder answers(bytes_of(output));
    const auto base = answers.read<std::uintptr_t>();
    BOOST_TEST_MESSAGE("this program is loaded at " << detail::loaded_modules()->front()->base()
                                                    << ", its second run at " << base << "; " << calls.size()
                                                    << " functions");
    for (const auto& call : calls) {
        BOOST_TEST_CONTEXT(call.name)
        {
            BOOST_TEST(answers.read<std::string>() == "");
            BOOST_TEST((answers.read<std::string>() == call.expected));
        }
    }
    BOOST_TEST(answers.remaining() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace twat::mp::test

int main(int argc, char** argv)
{
    if (argc == 2 && argv[1] == std::string_view("--serve-calls"))
        return twat::mp::test::serve();
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
