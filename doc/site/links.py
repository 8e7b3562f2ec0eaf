#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""links.py FOLDER: each link of the HTML pages in FOLDER leads to a file that is there, and to an anchor in it."""
import html.parser
import pathlib
import sys
import urllib.parse

root = pathlib.Path(sys.argv[1]).resolve()


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        for name in ("href", "src"):
            if attributes.get(name) is not None:
                self.links.append(attributes[name])


pages = {path: Page(path) for path in sorted(root.rglob("*.html")) if path.name not in ("genindex.html", "search.html")}
wrong = count = 0
for path, page in pages.items():
    for link in page.links:
        where = urllib.parse.urlsplit(link)
        if where.scheme or where.netloc:
            continue
        count += 1
        wanted = (path.parent / urllib.parse.unquote(where.path)).resolve() if where.path else path
        if wanted.is_dir():
            wanted /= "index.html"
        anchor = urllib.parse.unquote(where.fragment)
        if not wanted.exists() or (wanted in pages and anchor not in pages[wanted].anchors):
            print(f"{path.relative_to(root)}: {link} leads nowhere", file=sys.stderr)
            wrong += 1
print(f"{len(pages)} pages, {count} links, {wrong} lead nowhere")
sys.exit(wrong > 0)
