# SPDX-License-Identifier: BSL-1.0
"""The public interface, read from Doxygen's XML: which names there are, where they are declared, and what is said of them.

Verbs are declared in base classes of `detail`; users call them on the pools. So the XML is rewritten first: each public class gets the public
members of its hidden bases as its own.
"""
import copy
import hashlib
import pathlib
import re
import xml.etree.ElementTree as ElementTree

NAMESPACE = "twat::mp"
SECTIONS = ("public-func", "public-static-func", "public-type", "public-attrib", "public-static-attrib")


def text_of(node):
    return re.sub(r"\s+", " ", "".join(node.itertext())).strip() if node is not None else ""


def hidden(name):
    return "::detail" in name or not name.startswith(NAMESPACE) or name.startswith(NAMESPACE + "::codec<")


class Interface:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.files = {}
        for path in sorted(self.folder.glob("*.xml")):
            if path.stem not in ("index", "Doxyfile"):
                tree = ElementTree.parse(path)
                if (compound := tree.getroot().find("compounddef")) is not None:
                    self.files[compound.get("id")] = (path, tree, compound)

    def compounds(self, *kinds):
        for _, _, compound in self.files.values():
            if compound.get("kind") in kinds and not hidden(compound.findtext("compoundname")):
                yield compound

    # ---------------------------------------------------------------- rewriting

    def show_inherited(self):
        """Gives classes the members of their hidden bases, and takes out what no reader needs."""
        for path, tree, compound in self.files.values():
            name = compound.findtext("compoundname")
            if compound.get("kind") in ("class", "struct") and not hidden(name):
                for base in compound.findall("basecompoundref"):
                    if "detail::" in base.text:
                        self._take_over(compound, base.get("refid"))
                        compound.remove(base)
                for section in compound.findall("sectiondef"):
                    if section.get("kind") == "friend":
                        compound.remove(section)
            for section in compound.findall("sectiondef"):
                self._drop_repeated(section)
            for member in compound.iter("memberdef"):
                if member.get("inline"):
                    member.set("inline", "no")
                for words in ("type", "argsstring", "definition"):
                    if (part := member.find(words)) is not None and part.text:
                        part.text = re.sub(r"TWAT_MP_(?:CLUSTER_|MONITOR_)?DECL ", "", part.text)
                initializer = member.find("initializer")
                if initializer is not None and "[](" in text_of(initializer): # Breathe cannot read a lambda
                    member.remove(initializer)
            tree.write(path, encoding="utf-8", xml_declaration=True)

    @staticmethod
    def _drop_repeated(section):
        """Overloads that differ only in their constraints, of which one is described."""
        seen = set()
        for member in section.findall("memberdef"):
            key = (member.findtext("name"), tuple(text_of(p.find("type")).rstrip(". ") for p in member.findall("param")), member.get("const"))
            if member.get("kind") == "function" and key in seen and not described(member):
                section.remove(member)
            elif described(member):
                seen.add(key)

    def _take_over(self, compound, base):
        if base not in self.files:
            return
        source = self.files[base][2]
        name = compound.findtext("compoundname")
        own = {m.findtext("name") for m in compound.iter("memberdef")}
        for section in source.findall("sectiondef"):
            if section.get("kind") not in SECTIONS:
                continue
            target = next((s for s in compound.findall("sectiondef") if s.get("kind") == section.get("kind")), None)
            if target is None:
                target = ElementTree.SubElement(compound, "sectiondef", kind=section.get("kind"))
            for member in section.findall("memberdef"):
                if member.findtext("name") in own and member.get("kind") != "function":
                    continue
                taken = copy.deepcopy(member)
                digest = hashlib.md5((compound.get("id") + member.get("id")).encode()).hexdigest()
                taken.set("id", f"{compound.get('id')}_1a{digest}")
                if (definition := taken.find("definition")) is not None:
                    definition.text = re.sub(r"twat::mp::detail::.*::", name + "::", definition.text)
                if (qualified := taken.find("qualifiedname")) is not None:
                    qualified.text = f"{name}::{taken.findtext('name')}"
                target.append(taken)
        for deeper in source.findall("basecompoundref"):
            if deeper.get("prot") == "public" and "detail::" in (deeper.text or ""):
                self._take_over(compound, deeper.get("refid"))

    # ---------------------------------------------------------------- names

    def members(self, compound):
        for section in compound.findall("sectiondef"):
            if section.get("kind") in SECTIONS:
                yield from section.findall("memberdef")

    def namespaces(self):
        """Public namespaces: the library's own, and those within it."""
        return self.compounds("namespace")

    def free_names(self):
        """(namespace, kind, name) -> its declarations: functions, types, enums and variables outside of classes."""
        found = {}
        for space in self.namespaces():
            for member in space.iter("memberdef"):
                if member.get("kind") in ("function", "typedef", "enum", "variable"):
                    found.setdefault((space.findtext("compoundname"), member.get("kind"), member.findtext("name")), []).append(member)
        return found

    def macros(self):
        for _, _, compound in self.files.values():
            if compound.get("kind") == "file":
                for member in compound.iter("memberdef"):
                    if member.get("kind") == "define" and member.findtext("name").startswith(("TWAT_MP_REGISTER", "TWAT_MP_VERSION")) and described(member):
                        yield member


def description(node):
    return text_of(node.find("briefdescription")) + text_of(node.find("detaileddescription"))


def described(node):
    return bool(description(node))


def explains_itself(member):
    """What the language gives every type, and what iterators and containers have by convention."""
    arguments, name = member.findtext("argsstring") or "", member.findtext("name")
    if re.search(r"=\s*(default|delete)$", arguments):
        return True
    if name == "operator=" and "&&" in arguments:
        return True
    if member.get("kind") == "typedef" and name in ("value_type", "size_type", "difference_type", "iterator", "const_iterator", "executor_type",
                                                    "iterator_concept", "iterator_category"):
        return True
    return name in ("begin", "end", "size", "empty", "data", "operator[]", "operator*", "operator++", "operator==", "what") or (
        "&&other" in arguments.replace(" ", "") and "noexcept" in arguments)


def headings(node):
    """The titles of the paragraphs of a description: Completion Signature, Errors, ..."""
    return {text_of(section.find("title")) for section in node.iter("simplesect") if section.get("kind") == "par"} | {
        section.get("kind").capitalize() for section in node.iter("simplesect")}
