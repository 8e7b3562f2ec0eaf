#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""examples.py: the examples in the comments of public headers stand in compiled files, line by line and in this order.

An example is what lies between @code and @endcode, unless it is a completion signature or a sketch of what the user writes, which have no
semicolon or an ellipsis of their own. The files are those of doc/snippets and example. Indentation and comments do not count.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent.parent


def lines_of(text):
    found = []
    for line in text.splitlines():
        line = re.sub(r"\s+", "", re.sub(r"//.*", "", line))
        if line:
            found.append(line)
    return found


compiled = {path: lines_of(path.read_text(encoding="utf-8"))
            for folder in ("doc/snippets", "example") for path in sorted((root / folder).rglob("*.cpp"))}


def stands_in(example, lines):
    return any(lines[at:at + len(example)] == example for at, line in enumerate(lines) if line == example[0])


missing = count = 0
for header in sorted((root / "include").rglob("*.hpp")):
    for match in re.finditer(r"@code\n(.*?)@endcode", header.read_text(encoding="utf-8"), re.DOTALL):
        example = lines_of(match[1])
        if not example:
            continue
        count += 1
        if not any(stands_in(example, lines) for lines in compiled.values()):
            line = header.read_text(encoding="utf-8")[:match.start()].count("\n") + 2
            print(f"{header.relative_to(root)}:{line}: this example stands in no compiled file of doc/snippets or example", file=sys.stderr)
            missing += 1
print(f"{count} examples in headers, {missing} of them not compiled", file=sys.stderr)
sys.exit(missing > 0)
