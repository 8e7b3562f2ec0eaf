// SPDX-License-Identifier: BSL-1.0
#ifndef WORDCOUNT_SETTINGS_HPP
#define WORDCOUNT_SETTINGS_HPP

#include <cstddef>
#include <stdexcept>
#include <string>

namespace wordcount {

/// What the command line says.
struct settings
{
    std::string folder;
    std::string output = "words.db";
    std::size_t workers = 0; ///< 0: one for each CPU.
    bool quiet = false;
    bool plain = false; ///< Without workers, to compare.
    bool help = false;

    std::string journal() const { return output + ".journal"; }
};

class usage_error : public std::runtime_error
{
    using runtime_error::runtime_error;
};

inline constexpr const char* usage =
    "wordcount [-o DATABASE] [-p WORKERS] [-q] FOLDER\n"
    "Counts the words of all files in FOLDER and below it, into the table words(word, count) of a SQLite database.\n"
    "Ctrl-C stops it, after the files that are being read; the same command then goes on with the others.\n"
    "  -o DATABASE  words.db otherwise\n"
    "  -p WORKERS   processes; otherwise one for each CPU\n"
    "  -q           no progress\n"
    "  --plain      one file after the other in this process, to compare\n"
    "  -h           this text\n";

/// @throws usage_error
inline settings parse(int argc, char** argv)
{
    settings s;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const auto value = [&]() -> std::string {
            if (++i == argc)
                throw usage_error(argument + " needs a value");
            return argv[i];
        };
        if (argument == "-h" || argument == "--help")
            s.help = true;
        else if (argument == "-q")
            s.quiet = true;
        else if (argument == "--plain")
            s.plain = true;
        else if (argument == "-o")
            s.output = value();
        else if (argument == "-p")
            try {
                s.workers = std::stoul(value());
            }
            catch (const std::logic_error&) {
                throw usage_error("-p needs a number");
            }
        else if (argument.starts_with("-"))
            throw usage_error("unknown option " + argument);
        else if (s.folder.empty())
            s.folder = argument;
        else
            throw usage_error("one folder is enough");
    }
    if (s.folder.empty() && !s.help)
        throw usage_error("which folder?");
    return s;
}

} // namespace wordcount

#endif
