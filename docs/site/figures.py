"""Every figure in a box of its own, which scrolls where the page is narrower than the figure may become."""

import re

_FIGURE = re.compile(r'<svg [^>]*role="img" aria-label="([^"]*)".*?</svg>', re.DOTALL)


def on_page_content(content, **_):
    """Called by MkDocs with the HTML of every page."""
    box = r'<div class="figure" role="region" aria-label="\1" tabindex="0">\g<0></div>'
    return _FIGURE.sub(box, content)
