#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes what Sphinx reads, from the pages of doc/, the example programs, and Doxygen's XML of the public headers.

    pages.py SOURCE XML TARGET

One page for each public name, tables of options and counters, one page for each program of the tutorial. Names without a description, and
operations whose description leaves out what users must know, are listed; then the exit status is 1.
"""
import pathlib
import re
import shutil
import sys

from interface import NAMESPACE, Interface, described, explains_itself, headings, hidden, text_of

source, xml, target = (pathlib.Path(argument) for argument in sys.argv[1:4])
complaints = []

# Where the index of the reference lists a name: by the header that declares it.
THEMES = {
    "Pools": "async_pool multi_pool call_handle fwd with_pool default_pool any_pool inline_pool run verify",
    "Functions that run on a default pool": "wrappers later",
    "Results and streams": "result result_stream result_range future as_completed drain_report",
    "Options, progress and statistics": "options progress_bar histogram tenant retry hedge journal_sync",
    "In a worker": "worker task rng philox",
    "Functions and values that are sent": "portable chunked codec encoder decoder serialization shared_vector shared_span register_function unique_fd reclaim",
    "Errors": "error exceptions worker_died life_phase register_exception categories",
    "Servers": "bind_to_peer loop_guard",
    "Seeing what happens": "trace_event trace_file stacktrace monitor usage parcel",
}
# What the description of an operation of an asynchronous pool has to tell.
OPERATION = ["Completion Signature", "Executor", "Per-Operation Cancellation", "Errors", "Thread Safety"]
# Names that share a page.
TOGETHER = {"errinfo": re.compile(r"errinfo_|to_string$")}


def complain(words):
    complaints.append(words)


def write(path, text):
    path = target / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# -------------------------------------------------------------------- descriptions as Markdown


def markdown(node):
    """A description in one line: for tables."""
    parts = [node.text or ""]
    for child in node:
        inside = markdown(child)
        if child.tag == "computeroutput":
            inside = f"`{inside.strip()}`"
        elif child.tag in ("para", "listitem"):
            inside += " "
        elif child.tag == "programlisting":
            inside = f"`{text_of(child)}`"
        elif child.tag in ("simplesect", "parameterlist"):
            inside = ""
        parts.append(inside + (child.tail or ""))
    return re.sub(r"\s+", " ", "".join(parts))


def brief(node, whole=False):
    text = ""
    for part in ("briefdescription", "detaileddescription"):
        if (found := node.find(part)) is not None:
            text = text.strip() + " " + markdown(found)
    text = re.sub(r" ([.,;:])", r"\1", text).strip()
    if not whole:
        text = re.split(r"(?<=\.)\s+(?=[A-Z`])", text, maxsplit=1)[0]
    return text.replace("|", "\\|").strip()


def default_of(member):
    value = text_of(member.find("initializer")).removeprefix("=").strip()
    kind = text_of(member.find("type"))
    if value in ("{}", ""):
        return {"duration": "0", "std::chrono::nanoseconds": "0"}.get(kind, "empty") if value == "{}" else ""
    for unit, sign in (("seconds", "s"), ("milliseconds", "ms"), ("microseconds", "µs")):
        if found := re.fullmatch(r"\{?(?:std::chrono::)?" + unit + r"\((\d+)\)\}?", value):
            return f"{found[1]} {sign}"
    return f"`{value}`"


def header_of(node):
    file = node.find("location").get("file")
    return file[file.index("twat/"):] if "twat/" in file else file


def public_header(node):
    """The header to include: the one that declares it, or the public one of that name."""
    file = header_of(node)
    return file if "detail/" not in file else "twat/mp.hpp"


def link(full, shown=None):
    return f"{{cpp:any}}`{shown or full.removeprefix(NAMESPACE + '::')} <{full}>`"


# -------------------------------------------------------------------- the reference

pages = {}  # page -> (header, list of (shown, full or None), brief)


def page_text(title, header, body):
    return f"# {title}\n\n```text\n#include <{header}>\n```\n\n{body}\n"


def check_described(what, node):
    if not described(node) and not (node.tag == "memberdef" and explains_itself(node)):
        complain(f"{what}: has no description ({header_of(node)})")


def check_operation(owner, name, group):
    """Of an overload set, the first description tells all; overloads refer to it."""
    told = set().union(*(headings(member) for member in group))
    text = " ".join(text_of(member.find("detaileddescription")) for member in group)
    awaits = any("CompletionToken" in text_of(member) or "completion token" in text for member in group) or "Completion Signature" in told
    if awaits and not re.search(r"\bAs (for )?\w+", text):
        for heading in OPERATION:
            if heading not in told:
                complain(f"{owner}::{name}: the description has no paragraph “{heading}” ({header_of(group[0])})")


def classes(interface):
    for compound in interface.compounds("class", "struct"):
        full = compound.findtext("compoundname")
        if compound.get("prot") not in (None, "public"):
            continue
        members = list(interface.members(compound))
        check_described(full, compound)
        groups = {}
        for member in members:
            groups.setdefault(member.findtext("name"), []).append(member)
        for name, group in groups.items():
            if not any(described(member) for member in group) and not all(explains_itself(member) for member in group):
                complain(f"{full}::{name}: has no description ({header_of(group[0])})")
            for member in group:
                for value in member.findall("enumvalue"):
                    check_described(f"{full}::{value.findtext('name')}", with_location(value, member))
        if "async_pool" in full or "call_handle" in full:
            for name, group in groups.items():
                if group[0].get("kind") == "function":
                    check_operation(full, name, group)
        if compound.get("kind") == "class" and "Thread Safety" not in headings(compound) and "Thread safety" not in headings(compound) \
                and "safe" not in text_of(compound.find("detaileddescription")) and "::iterator" not in full:
            complain(f"{full}: the description does not tell about thread safety ({header_of(compound)})")
        short = full.removeprefix(NAMESPACE + "::")
        if "::" in short or "<" in short:
            continue  # on the page of the class around it, or of the template
        nested = [c for c in interface.compounds("class", "struct") if c.findtext("compoundname").startswith(full + "<")]
        rows = []
        for name, group in groups.items():
            if name.startswith("~") or name == short or name.startswith("operator"):
                continue
            first = next((member for member in group if described(member)), group[0])
            rows.append(f"| {link(f'{full}::{name}', name)} | {brief(first)} |")
        body = f"{brief(compound)}\n\n"
        if rows:
            body += "| member | |\n|---|---|\n" + "\n".join(rows) + "\n\n"
        for each in [compound, *nested]:
            body += f"```{{doxygen{each.get('kind')}}} {each.findtext('compoundname')}\n:members:\n:undoc-members:\n```\n\n"
        write(f"reference/{short}.md", page_text(short, public_header(compound), body))
        pages[short] = (header_of(compound), brief(compound))


def with_location(value, member):
    value.append(member.find("location"))
    return value


def free_names(interface):
    bodies = {}
    for (space, kind, name), group in sorted(interface.free_names().items()):
        group = [member for member in group if "detail" not in (member.findtext("definition") or "").split("(")[0].split("= ")[0] or kind == "typedef"]
        if not group:
            continue
        inner = space.removeprefix(NAMESPACE).removeprefix("::")
        page = inner or next((key for key, names in TOGETHER.items() if names.match(name)), name)
        full = f"{space}::{name}"
        if not any(described(member) for member in group):
            if page != "errinfo" and not name.startswith("operator"):
                complain(f"{full}: has no description ({header_of(group[0])})")
        for member in group:
            for value in member.findall("enumvalue"):
                check_described(f"{full}::{value.findtext('name')}", with_location(value, member))
        body = ""
        if kind == "function":
            for member in group:
                arguments = re.sub(r"\s*(noexcept|=\s*\w+\s*;?)*$", "", member.findtext("argsstring"))
                body += f"```{{doxygenfunction}} {full}{arguments}\n```\n\n"
        else:
            body += f"```{{doxygen{kind}}} {full}\n```\n\n"
        first = next((member for member in group if described(member)), group[0])
        bodies.setdefault(page, []).append((header_of(first), brief(first), body))
    for page, parts in bodies.items():
        header, told, _ = parts[0]
        if page in pages:
            page += "_function"
        title = page.removesuffix("_function")
        space = next((c for c in interface.compounds("namespace") if c.findtext("compoundname") == f"{NAMESPACE}::{page}"), None)
        if space is not None:
            told = brief(space)
        intro = "" if len(parts) == 1 else told + "\n\n"
        write(f"reference/{page}.md", page_text(title, header, intro + "".join(body for _, _, body in parts)))
        pages[page] = (header, told)


def concepts(interface):
    for concept in interface.compounds("concept"):
        full = concept.findtext("compoundname")
        short = full.removeprefix(NAMESPACE + "::")
        check_described(full, concept)
        parameters = ", ".join(" ".join(filter(None, (text_of(p.find("type")), p.findtext("declname")))) for p in concept.iter("param"))
        told = "\n\n".join(markdown_blocks(concept.find("detaileddescription")))
        body = f"```{{cpp:concept}} template <{parameters}> {full}\n```\n\n{told}\n"
        write(f"reference/{short}.md", page_text(short, header_of(concept), body))
        pages[short] = (header_of(concept), brief(concept))


def markdown_blocks(description):
    for para in description.findall("para"):
        yield markdown_without_lists(para)
        for item in para.iter("listitem"):
            yield "- " + markdown(item).strip()


def markdown_without_lists(para):
    import copy
    para = copy.deepcopy(para)
    for lists in para.findall("itemizedlist"):
        para.remove(lists)
    return markdown(para).strip()


def macros(interface):
    for macro in interface.macros():
        name = macro.findtext("name")
        write(f"reference/{name}.md", page_text(name, header_of(macro), f"```{{doxygendefine}} {name}\n```\n"))
        pages[name] = (header_of(macro), brief(macro))


def reference_index():
    listed = {}
    for page, (header, told) in pages.items():
        stem = pathlib.PurePath(header).stem
        theme = next((theme for theme, stems in THEMES.items() if stem in stems.split()), None)
        if theme is None and "detail/" in header:
            theme = "Errors" if "errinfo" in page else None
        listed.setdefault(theme or "More", []).append(page)
    text = "# Reference\n\nEvery public name, by what it is for. All are in namespace `twat::mp`; `#include <twat/mp.hpp>` brings all but those "
    text += "whose page names a header of its own that `mp.hpp` leaves out.\n\n"
    text += verbs_table()
    for theme in [*THEMES, "More"]:
        if theme in listed:
            text += f"## {theme}\n\n| | |\n|---|---|\n"
            for page in sorted(listed[theme], key=str.lower):
                text += f"| [{page.removesuffix('_function')}]({page}.md) | {pages[page][1]} |\n"
            text += "\n"
    text += "```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
    write("reference/index.md", text)


def verbs_table():
    """Which verb is where."""
    wanted = [("asynchronous", "basic_async_pool"), ("blocking", "multi_pool")]
    have = {}
    for column, short in wanted:
        for compound in interface.compounds("class"):
            if compound.findtext("compoundname") == f"{NAMESPACE}::{short}":
                for member in interface.members(compound):
                    name = member.findtext("name")
                    if member.get("kind") == "function" and not name.startswith(("~", "operator", short)):
                        have.setdefault(name, {}).setdefault(column, (f"{NAMESPACE}::{short}::{name}", brief(member)))
    text = "## Verbs of the pools\n\n| | " + " | ".join(column for column, _ in wanted) + " | |\n|---|---|---|---|\n"
    for name, where in have.items():
        cells = [link(where[column][0], name) if column in where else "" for column, _ in wanted]
        text += f"| `{name}` | " + " | ".join(cells) + f" | {next(iter(where.values()))[1]} |\n"
    return text + "\n"


# -------------------------------------------------------------------- tables


def table(interface, short, with_default):
    for compound in interface.compounds("struct"):
        if compound.findtext("compoundname") == f"{NAMESPACE}::{short}":
            head = "| member | default | meaning |\n|---|---|---|\n" if with_default else "| member | meaning |\n|---|---|\n"
            rows = ""
            for member in interface.members(compound):
                if member.get("kind") == "variable":
                    kind = text_of(member.find("type")).replace("< ", "<").replace(" >", ">")
                    cells = [link(f"{NAMESPACE}::{short}::{member.findtext('name')}", member.findtext("name")) + f"<br>`{kind}`"]
                    if with_default:
                        cells.append(default_of(member))
                    rows += "| " + " | ".join([*cells, brief(member, whole=True)]) + " |\n"
            return head + rows
    sys.exit(f"no struct {short} in the headers")


# -------------------------------------------------------------------- pages that are there already


def site_path(path):
    """Where the site shows a file of the tree; None if it does not."""
    parts = path.parts
    if parts[0] == "doc":
        return pathlib.PurePath(*parts[1:])
    if path == pathlib.PurePath("CHANGELOG.md"):
        return pathlib.PurePath("changes.md")
    if path == pathlib.PurePath("README.md"):
        return pathlib.PurePath("index.md")
    if parts[:2] == ("example", "1_tutorial"):
        return pathlib.PurePath("tutorial", path.stem + ".md" if len(parts) > 2 else "index.md")
    if parts[:2] == ("example", "3_cluster") and len(parts) > 3:
        return pathlib.PurePath("example", parts[2] + ".md")
    if parts[0] == "example" and len(parts) >= 2:
        return pathlib.PurePath("example", parts[1] + ".md")
    return None


def with_site_links(text, origin):
    """`origin` is where the page lies in the tree."""
    here = site_path(origin).parent

    def replace(match):
        shown, where, anchor = match[1], match[2], match[3] or ""
        if "://" in where or not where:
            return match[0]
        wanted = pathlib.PurePath(*resolve(origin.parent / where))
        place = site_path(wanted)
        if place is None:
            complain(f"{origin}: the site has no page for {where}")
            return match[0]
        return f"[{shown}]({'/'.join(['..'] * len(here.parts) + list(place.parts))}{anchor})"

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)", replace, text)


def resolve(path):
    parts = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return parts


def without_comments(text):
    return re.sub(r"<!-- .*? -->\n", "", text)


def copy_pages():
    for path in sorted((source / "doc").rglob("*")):
        inside = path.relative_to(source / "doc")
        if path.is_dir() or inside.parts[0] in ("site", "snippets"):
            continue
        if path.suffix == ".md":
            text = without_comments(with_site_links(path.read_text(encoding="utf-8"), path.relative_to(source)))
            text = re.sub(r"^```table (\w+)( defaults)?\n```$", lambda m: table(interface, m[1], bool(m[2])), text, flags=re.MULTILINE)
            write(inside, text)
        else:
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inside)
    changes = source / "CHANGELOG.md"
    write("changes.md", with_site_links(changes.read_text(encoding="utf-8"), pathlib.PurePath("CHANGELOG.md")))


# -------------------------------------------------------------------- example programs


def listing(path, language="cpp"):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not re.search(r"// (tag|end)::", line)]
    while lines and lines[0].startswith("// "):
        lines.pop(0)
    return f"```{language}\n" + "\n".join(lines).strip() + "\n```\n"


def first_comment(path):
    words = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        if not line.startswith("// ") or "tag::" in line:
            break
        words.append(line[3:])
    return " ".join(words)


def tutorial():
    rows = ""
    for program in sorted((source / "example/1_tutorial").glob("*.cpp")):
        name, told = program.stem, first_comment(program)
        if not told:
            complain(f"{program.name}: says nowhere what it shows")
        text = f"# {name[:2]}: {name[3:]}\n\n{told}\n\n{listing(program)}"
        output = program.with_suffix(".out")
        if output.exists():
            text += f"\n## Output\n\n```text\n{output.read_text(encoding='utf-8').rstrip()}\n```\n"
        write(f"tutorial/{name}.md", text)
        rows += f"| [{name}]({name}.md) | {told} |\n"
    write("tutorial/index.md", "# Tutorial\n\nShort programs, to be read in order. Each is a whole program that the tests build, run and compare with "
          "the output that its page shows. `cmake --workflow --preset dev` leaves them in `build/dev/example/`.\n\n"
          f"| program | what it shows |\n|---|---|\n{rows}\n```{{toctree}}\n:hidden:\n:glob:\n\n*\n```\n")


def programs():
    server = source / "example/offload_server/README.md"
    write("example/offload_server.md", with_site_links(server.read_text(encoding="utf-8"), server.relative_to(source)).replace("../../doc/", "../"))
    main = source / "example/pgzip/main.cpp"
    write("example/pgzip.md", f"# pgzip\n\n{first_comment(main)}\n\n`tools/demo` builds it, compresses a file with it and checks the result with gzip.\n\n"
          f"## main.cpp\n\n{listing(main)}\n## compress.hpp\n\n{listing(source / 'example/pgzip/compress.hpp')}")
    main = source / "example/wordcount/main.cpp"
    write("example/wordcount.md", f"# wordcount\n\n{first_comment(main)}\n\n`build/dev/example/wordcount -o words.db FOLDER` runs it.\n\n"
          f"## main.cpp\n\n{listing(main)}\n## count.cpp\n\n{listing(source / 'example/wordcount/count.cpp')}")
    tracer = source / "example/3_cluster/ray_tracer"
    write("example/ray_tracer.md", f"# ray_tracer\n\n{first_comment(tracer / 'main.cpp')}\n\n"
          "`ray_tracer -o picture.png` renders here, with `--cluster URL` on the agents of a cluster.\n\n"
          f"## main.cpp\n\n{listing(tracer / 'main.cpp')}\n## render.cpp\n\n{listing(tracer / 'render.cpp')}")


# -------------------------------------------------------------------- all of it


def check_codes():
    """Each code has its row in the table of doc/errors.md."""
    codes = re.search(r"enum class errc.*?\{(.*?)\n\};", (source / "include/twat/mp/error.hpp").read_text(encoding="utf-8"), re.DOTALL)[1]
    told = (source / "doc/errors.md").read_text(encoding="utf-8")
    for code in re.findall(r"^\s*(\w+)(?: = \d+)?,", codes, re.MULTILINE):
        if not re.search(rf"^\| `{code}` \|", told, re.MULTILINE):
            complain(f"doc/errors.md: has no row for errc::{code}")


shutil.rmtree(target, ignore_errors=True)
interface = Interface(xml)
interface.show_inherited()
classes(interface)
free_names(interface)
concepts(interface)
macros(interface)
reference_index()
copy_pages()
tutorial()
programs()
check_codes()
for words in complaints:
    print(words, file=sys.stderr)
print(f"{len(pages)} pages of reference, {len(complaints)} names or pages to mend")
sys.exit(bool(complaints))
