# SPDX-License-Identifier: BSL-1.0
"""The site: Markdown by MyST, the reference by Breathe from Doxygen's XML, the theme Furo. tools/docs calls it."""
import os
import re

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
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
pygments_style = "tango"
pygments_dark_style = "monokai"


class LinkNames(SphinxPostTransform):
    """Makes `errc::queue_full`, `mp::worker_died` or `pool_options::nodes` in running text a link to where it is described."""

    default_priority = 700
    name = re.compile(r"(?:twat::)?(?:mp::)?((?:\w+::)*\w+)(?:\(\))?$")

    def run(self, **_):
        known = self.known()
        for literal in list(self.document.findall(nodes.literal)):
            if isinstance(literal.parent, nodes.reference) or any(isinstance(a, nodes.title) for a in self.ancestors(literal)):
                continue
            match = self.name.match(literal.astext())
            target = match and known.get(match[1])
            # A word alone may be meant in another sense: `map` is a verb of every pool.
            if not target or ("::" not in literal.astext() and "_" not in match[1]):
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


def setup(app):
    app.add_post_transform(LinkNames)
    app.connect("env-updated", lambda app, env: forget_names(app, env))
