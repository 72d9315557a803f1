"""The documentation site: Sphinx with Furo, pages in Markdown; what is generated is made before it is built.

make docs                  build/site/index.html, with every warning an error; nothing is loaded from a network
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generating  # noqa: E402 - beside this file

project = "gridpact"
author = "the gridpact maintainers"
copyright = "the gridpact maintainers"  # noqa: A001 - Sphinx wants this name
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_generated/*"]
html_theme = "furo"
html_title = "gridpact"
html_static_path = ["_static"]
html_css_files = ["sequence.css"]
html_copy_source = False
myst_heading_anchors = 3
myst_links_external_new_tab = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
nitpicky = False


def setup(app):
    """Mermaid text is shown as text; generated pages are made first."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("mermaid", TextLexer)
    generating.write_all(HERE / "_generated")
