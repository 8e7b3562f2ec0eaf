// SPDX-License-Identifier: BSL-1.0
#include "function/module.hpp"

#include <boost/test/unit_test.hpp>

#include <dlfcn.h>
#include <memory>
#include <string>

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_wire_module)

int some_function() { return 1; }
const int some_constant = 7;

BOOST_AUTO_TEST_CASE(the_main_program_is_the_first_module_and_gives_the_build_id)
{
    const auto modules = loaded_modules();
    BOOST_TEST_REQUIRE(!modules->empty());
    BOOST_TEST(modules->front()->id() == build_id());
    BOOST_TEST(!build_id().empty());
    BOOST_TEST(find_module(build_id()) == modules->front());
}

BOOST_AUTO_TEST_CASE(code_and_constants_of_this_file_lie_in_the_main_program)
{
    const auto code = module_of(reinterpret_cast<const void*>(&some_function));
    const auto data = module_of(&some_constant);
    BOOST_TEST_REQUIRE(code);
    BOOST_TEST(code == data);
    BOOST_TEST(code == loaded_modules()->front());
    const auto* text = code->find_segment(reinterpret_cast<std::uintptr_t>(&some_function), 1);
    BOOST_TEST_REQUIRE(text);
    BOOST_TEST(text->executable);
    BOOST_TEST(!text->writable);
}

BOOST_AUTO_TEST_CASE(a_function_of_a_shared_library_lies_in_it)
{
    const auto library = module_of(::dlsym(RTLD_DEFAULT, "gnu_get_libc_version"));
    BOOST_TEST_REQUIRE(library);
    BOOST_TEST(library != loaded_modules()->front());
    BOOST_TEST(library->name().find("libc") == 0u);
    BOOST_TEST(find_module(library->id()) == library);
}

BOOST_AUTO_TEST_CASE(heap_stack_and_null_lie_in_no_module)
{
    const auto heap = std::make_unique<int>(1);
    const int stack = 1;
    BOOST_TEST(!module_of(heap.get()));
    BOOST_TEST(!module_of(&stack));
    BOOST_TEST(!module_of(nullptr));
}

BOOST_AUTO_TEST_CASE(a_segment_holds_only_what_ends_inside_it)
{
    const auto module = loaded_modules()->front();
    const auto& segment = module->segments().front();
    const auto size = segment.memory_end - segment.begin;
    BOOST_TEST(module->find_segment(segment.begin, size) == &segment);
    BOOST_TEST(module->find_segment(segment.begin, size + 1) == nullptr);
    BOOST_TEST(module->find_segment(segment.begin, static_cast<std::size_t>(-1)) == nullptr);
    BOOST_TEST(module->find_segment(segment.memory_end - 1, 1) == &segment);
    BOOST_TEST(module->find_segment(segment.memory_end - 1, 2) == nullptr);
}

BOOST_AUTO_TEST_CASE(the_list_is_read_again_only_when_something_was_loaded)
{
    const auto before = loaded_modules();
    BOOST_TEST(loaded_modules() == before);
    // Not linked by anything here; part of the C library's package.
    void* library = ::dlopen("libBrokenLocale.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        BOOST_TEST_MESSAGE("there is no library to load: " << ::dlerror());
        return;
    }
    const auto loaded = loaded_modules();
    BOOST_TEST(loaded->size() == before->size() + 1);
    BOOST_TEST(loaded->front() == before->front());
    const auto id = loaded->back()->id();
    ::dlclose(library);
    BOOST_TEST(loaded_modules()->size() == before->size());
    BOOST_TEST(!find_module(id));
}

BOOST_AUTO_TEST_CASE(an_unknown_identity_finds_nothing)
{
    BOOST_TEST(!find_module(""));
    BOOST_TEST(!find_module(std::string(20, 'x')));
    BOOST_TEST(!find_module("read-only:0123456789abcdef"));
}

BOOST_AUTO_TEST_CASE(without_a_build_id_a_module_is_known_by_its_read_only_bytes)
{
    const auto main = loaded_modules()->front();
    const loaded_module a(main->base(), "a", main->segments(), {});
    const loaded_module same(main->base(), "b", main->segments(), {});
    BOOST_TEST(!a.has_build_id());
    BOOST_TEST(a.id() == same.id());
    BOOST_TEST(a.id().size() <= max_module_id);

    static char bytes[64] = "some code";
    const auto at = reinterpret_cast<std::uintptr_t>(bytes);
    const std::vector<loaded_module::segment> one{{at, at + 61, at + 64, true, false, true}};
    const auto id = loaded_module(at, "", one, {}).id();
    bytes[60] = 'x';
    const auto changed = loaded_module(at, "", one, {}).id();
    BOOST_TEST(id != changed);
    BOOST_TEST(id != a.id());
    // What is written to while the program runs does not count.
    const std::vector<loaded_module::segment> data{{at, at + 61, at + 64, true, true, false}};
    const auto before = loaded_module(at, "", data, {}).id();
    bytes[60] = 'y';
    BOOST_TEST(loaded_module(at, "", data, {}).id() == before);
}

BOOST_AUTO_TEST_CASE(identities_are_shown_as_hexadecimal_digits)
{
    BOOST_TEST(to_hex(std::string_view("\x00\xfe\x1b", 3)) == "00fe1b");
}

BOOST_AUTO_TEST_SUITE_END()
