"""Sphinx configuration: `make docs`, or `sphinx-build -W -b html docs build/docs`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULE = (ROOT / "src" / "aikz_label" / "__init__.py").read_text(encoding="utf-8")

project = "aikz-label"
copyright = "the aikz-label authors, Apache-2.0"
release = version = re.search(r'^__version__ = "([^"]+)"', MODULE, re.MULTILINE)[1]
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"aikz-label {release}"
html_extra_path = ["../src/aikz_label/data/schemas"]
