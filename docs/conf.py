"""How the documentation is built: Markdown by MyST, the look by Furo, every warning an error."""

from __future__ import annotations

project = "callsvc"
author = "the callsvc project"
copyright = "the callsvc project, EUPL-1.2"
language = "en"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = "callsvc"
html_static_path = ["static"]
html_css_files = ["house.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
