# SPDX-License-Identifier: BSL-1.0
"""The site: Markdown by MyST, the reference by Breathe from Doxygen's XML, the theme Furo. tools/docs calls it."""
import os
import pathlib
import re
import shutil

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

project = "twat-mp"
author = "the authors of twat-mp"
copyright = "the authors of twat-mp; Boost Software License 1.0"
version = release = os.environ["TWAT_MP_VERSION"]

extensions = ["myst_parser", "breathe"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["site"]
nitpicky = False
primary_domain = "cpp"
highlight_language = "text"
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

breathe_projects = {"twat-mp": os.environ["TWAT_MP_XML"]}
breathe_default_project = "twat-mp"
breathe_show_include = False
breathe_order_parameters_first = False

html_theme = "furo"
html_title = f"twat-mp {version}"
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
pygments_style = "tango"
pygments_dark_style = "monokai"


class LinkNames(SphinxPostTransform):
    """Makes `errc::queue_full`, `mp::worker_died` or `pool_options::nodes` in running text a link to where it is described."""

    default_priority = 700
    name = re.compile(r"(?:twat::)?(mp::)?((?:\w+::)*\w+)(?:<[^>]*>)?(\([^)]*\))?$")

    def run(self, **_):
        known = self.known()
        for literal in list(self.document.findall(nodes.literal)):
            if isinstance(literal.parent, nodes.reference) or any(isinstance(a, nodes.title) for a in self.ancestors(literal)):
                continue
            match = self.name.match(literal.astext())
            target = match and known.get(match[2])
            # A word alone may be meant in another sense: `map` is a verb of every pool, `task_index()` a member of an exception.
            if not target or ("::" not in literal.astext() and ("_" not in match[2] or match[3])):
                continue
            page, anchor = target
            if page == self.env.docname:
                link = nodes.reference("", "", internal=True, refid=anchor)
            else:
                link = nodes.reference("", "", internal=True, refuri=self.app.builder.get_relative_uri(self.env.docname, page) + "#" + anchor)
            literal.replace_self(link)
            link += literal

    @staticmethod
    def ancestors(node):
        while node.parent is not None:
            node = node.parent
            yield node

    def known(self):
        if not hasattr(self.env, "twat_mp_names"):
            prefix = "twat::mp::"
            self.env.twat_mp_names = {
                full[len(prefix):]: (page, anchor)
                for full, _, _, page, anchor, _ in self.env.get_domain("cpp").get_objects() if full.startswith(prefix)}
        return self.env.twat_mp_names


def forget_names(app, env):
    if hasattr(env, "twat_mp_names"):
        del env.twat_mp_names


def mend_theme(app, error):
    """Debian's Furo leaves its script in modules, which the page does not load as such; its style sheet imports a file of the web server's, and
    has lost what makes pages dark where the browser asks for that."""
    if error or app.builder.name != "html":
        return
    static = pathlib.Path(app.outdir) / "_static"
    script, module = static / "scripts/furo.js", static / "scripts/gumshoe-patched.js"
    text = script.read_text(encoding="utf-8")
    first = 'import Gumshoe from "./gumshoe-patched.js";\n'
    if text.startswith(first):
        script.write_text(module.read_text(encoding="utf-8") + text[len(first):], encoding="utf-8")
    style = static / "styles/furo.css"
    text = style.read_text(encoding="utf-8")
    elsewhere = "/javascript/normalize.css/normalize.css"
    if elsewhere in text:
        shutil.copyfile("/usr/share" + elsewhere, static / "styles/normalize.css")
        text = text.replace(elsewhere, "normalize.css")
    if "prefers-color-scheme" not in text:
        dark = re.search(r'body\[data-theme="dark"\] \{\s*(--color-problematic[^}]*)\}', text)[1]
        text += '@media screen and (prefers-color-scheme: dark) { body:not([data-theme="light"]) { ' + dark + "} }\n"
    style.write_text(text, encoding="utf-8")


def setup(app):
    app.connect("build-finished", mend_theme)
    app.add_post_transform(LinkNames)
    app.connect("env-updated", lambda app, env: forget_names(app, env))
