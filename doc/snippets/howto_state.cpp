// SPDX-License-Identifier: BSL-1.0
// An object of its own for every worker, which tasks get as their first parameter.
#include <twat/mp.hpp>

#include <cstddef>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace mp = twat::mp;

// tag::state[]
class database // a connection: neither copied nor sent
{
public:
    explicit database(const std::string& file) : rows_{{1, "one of " + file}, {2, "two of " + file}} {}
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    std::string name_of(int id) { return ++queries_, rows_.at(id); }
    std::size_t queries() const { return queries_; }

private:
    std::map<int, std::string> rows_;
    std::size_t queries_ = 0;
};

database open_database(const std::string& file) { return database(file); }

std::string look_up(database& db, int id) { return db.name_of(id); }

std::size_t count_queries(database& db) { return db.queries(); }
// end::state[]

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        const std::vector<int> ids{1, 2, 1};
        // tag::use[]
        mp::pool_options options;
        options.state = mp::worker_state<database>(open_database, "catalogue.db");
        options.finalizer = mp::task(count_queries);
        mp::process_pool pool(options);
        std::vector<std::string> names = pool.map(look_up, ids); // each worker with its own connection

        pool.join();
        std::size_t queries = 0;
        for (std::size_t of_one : pool.exit_results<std::size_t>()) // what the finalizers returned
            queries += of_one;
        // end::use[]
        for (const std::string& name : names)
            std::cout << name << '\n';
        std::cout << queries << " queries\n";
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
