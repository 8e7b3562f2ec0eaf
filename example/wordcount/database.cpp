// SPDX-License-Identifier: BSL-1.0
#include "database.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

namespace wordcount {
namespace {

struct close_database
{
    void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
};
struct finalize
{
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

class database
{
public:
    explicit database(const std::string& path) : path_(path)
    {
        sqlite3* opened = nullptr;
        const int status = sqlite3_open(path.c_str(), &opened);
        db_.reset(opened);
        check(status);
    }

    void run(const char* sql) { check(sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr)); }

    void insert(const word_counts& counts)
    {
        sqlite3_stmt* prepared = nullptr;
        check(sqlite3_prepare_v2(db_.get(), "INSERT INTO words VALUES (?, ?)", -1, &prepared, nullptr));
        const std::unique_ptr<sqlite3_stmt, finalize> statement(prepared);
        for (const auto& [word, count] : counts) {
            check(sqlite3_bind_text(prepared, 1, word.data(), static_cast<int>(word.size()), SQLITE_STATIC));
            check(sqlite3_bind_int64(prepared, 2, static_cast<sqlite3_int64>(count)));
            if (sqlite3_step(prepared) != SQLITE_DONE)
                check(sqlite3_errcode(db_.get()));
            check(sqlite3_reset(prepared));
        }
    }

private:
    void check(int status) const
    {
        if (status != SQLITE_OK)
            throw std::runtime_error(path_ + ": " + (db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(status)));
    }

    const std::string path_;
    std::unique_ptr<sqlite3, close_database> db_;
};

} // namespace

void write_database(const std::string& path, const word_counts& counts)
{
    const std::string unfinished = path + ".unfinished";
    std::filesystem::remove(unfinished);
    {
        database db(unfinished);
        db.run("PRAGMA journal_mode = OFF; CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT "
               "ROWID; BEGIN");
        db.insert(counts);
        db.run("COMMIT");
    }
    std::filesystem::rename(unfinished, path);
}

} // namespace wordcount
