"""How the pages are built: ``sphinx-build -W docs docs/_build``; see generate.py for the rest."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generate

from forewarn import __version__

project = "Forewarn"
author = "The Forewarn maintainers"
copyright = "the Forewarn maintainers; texts of the corpus CC BY 4.0, the rest Apache-2.0"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "generated/parts"]
html_theme = "furo"
html_title = f"Forewarn {__version__}"

# Notebooks are shown with the outputs that are committed; tests/test_notebooks.py executes them.
nb_execution_mode = "off"
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"


def setup(app: object) -> None:
    """Write the generated pages before any page is read."""
    generate.write_pages(Path(__file__).parent / "generated")
    app.connect("source-read", generate.resolve_links)
