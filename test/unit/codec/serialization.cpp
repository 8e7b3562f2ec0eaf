// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/serialization.hpp>

#include <boost/serialization/access.hpp>
#include <boost/serialization/base_object.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/split_member.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

#include "round_trip.hpp"

namespace user {

struct open
{
    int x = 0;
    std::vector<std::string> names{};
    std::map<int, double> table{};

    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x& names& table;
    }
    bool operator==(const open&) const = default;
};

class secret
{
public:
    secret() = default;
    explicit secret(int x) : x_(x) {}
    bool operator==(const secret&) const = default;

private:
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x_;
    }
    int x_ = 0;
};

class split
{
public:
    bool operator==(const split&) const = default;
    int x = 0;

private:
    friend class boost::serialization::access;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        const int negative = -x;
        ar << negative;
    }
    template <class Archive>
    void load(Archive& ar, unsigned version)
    {
        BOOST_TEST(version == 3u);
        ar >> x;
        x = -x;
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};

class derived : public open
{
public:
    int y = 0;
    bool operator==(const derived&) const = default;

private:
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<open>(*this) & y;
    }
};

class outside
{
public:
    explicit outside(int x = 0) : x(x) {}
    int x;
    bool operator==(const outside&) const = default;
};

template <class Archive>
void serialize(Archive& ar, outside& value, unsigned)
{
    ar& value.x;
}

class in_boost_namespace
{
public:
    explicit in_boost_namespace(int x = 0) : x(x) {}
    int x;
    bool operator==(const in_boost_namespace&) const = default;
};

// Nobody but Boost can make one from nothing.
class made_by_boost
{
public:
    explicit made_by_boost(int x) : x(x) {}
    int x;
    bool operator==(const made_by_boost&) const = default;

private:
    made_by_boost() = default;
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x;
    }
};

class made_from_data
{
public:
    explicit made_from_data(std::string name) : name(std::move(name)) {}
    std::string name;
    int x = 0;
    bool operator==(const made_from_data&) const = default;

    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& x;
    }
};

template <class Archive>
void save_construct_data(Archive& ar, const made_from_data* value, unsigned)
{
    ar << value->name;
}

template <class Archive>
void load_construct_data(Archive& ar, made_from_data* value, unsigned)
{
    std::string name;
    ar >> name;
    ::new (value) made_from_data(std::move(name));
}

struct holds_all
{
    open a;
    secret b;
    std::vector<outside> c;
    bool operator==(const holds_all&) const = default;
};

class other_meaning
{
public:
    explicit other_meaning(int);
    std::string serialize() const;
};

// Taken apart, not serialized.
struct template_of_other_meaning
{
    int x;

    template <class Writer>
    void serialize(Writer&) const;
    bool operator==(const template_of_other_meaning&) const = default;
};

} // namespace user

namespace boost::serialization {
template <class Archive>
void serialize(Archive& ar, user::in_boost_namespace& value, unsigned)
{
    ar& value.x;
}
} // namespace boost::serialization

BOOST_CLASS_VERSION(user::split, 3)

using namespace twat::mp;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_serialization)

BOOST_AUTO_TEST_CASE(member_functions_are_used)
{
    BOOST_TEST((survives(user::open{1, {"a", "b"}, {{1, 2.5}}})));
    BOOST_TEST((survives(user::secret(5))));
    user::split split;
    split.x = 9;
    BOOST_TEST((survives(split)));
    user::derived derived;
    derived.x = 1;
    derived.y = 2;
    BOOST_TEST((survives(derived)));
}

BOOST_AUTO_TEST_CASE(free_functions_are_used)
{
    BOOST_TEST((survives(user::outside(4))));
    BOOST_TEST((survives(user::in_boost_namespace(4))));
}

BOOST_AUTO_TEST_CASE(no_default_constructor_is_needed)
{
    BOOST_TEST((survives(user::made_by_boost(4))));
    user::made_from_data value("name");
    value.x = 4;
    BOOST_TEST((survives(value)));
}

BOOST_AUTO_TEST_CASE(such_values_are_parts_of_others)
{
    const user::open open{1, {"a"}, {}};
    BOOST_TEST((survives(user::holds_all{open, user::secret(2), {user::outside(3), user::outside(4)}})));
    BOOST_TEST((survives(std::map<int, user::secret>{{1, user::secret(2)}})));
}

// The headers of Boost have a serialize for these, but ours is the one for what the library knows.
BOOST_AUTO_TEST_CASE(containers_do_not_go_through_an_archive)
{
    static_assert(detail::kind_of<std::vector<int>> == detail::type_kind::builtin);
    static_assert(detail::kind_of<std::string> == detail::type_kind::builtin);
    static_assert(detail::kind_of<user::open> == detail::type_kind::archived);
}

BOOST_AUTO_TEST_CASE(another_function_named_serialize_is_not_taken_for_it)
{
    static_assert(!encodable<user::other_meaning>);
    BOOST_TEST((survives(user::template_of_other_meaning{3})));
}

BOOST_AUTO_TEST_CASE(errors_of_an_archive_are_errors_of_the_library)
{
    const auto bytes = encoded(user::open{1, {"a", "b"}, {}});
    for (std::size_t size = 0; size != bytes.size(); ++size)
        BOOST_CHECK_EXCEPTION(decoded<user::open>(std::span(bytes).first(size)), error,
                              [](const error& e) { return e.code() == errc::decode_failed; });
}

BOOST_AUTO_TEST_CASE(the_limit_of_the_encoder_counts)
{
    encoder out(100);
    BOOST_CHECK_EXCEPTION(out.write(user::open{1, {std::string(200, 'x')}, {}}), error,
                          [](const error& e) { return e.code() == errc::message_too_large; });
}

BOOST_AUTO_TEST_SUITE_END()
