"""Formulas as MathML, which browsers draw themselves: no script, no fonts, no network."""

import html
import re

from latex2mathml.converter import convert

_FORMULA = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.DOTALL)


def on_page_content(content, **_):
    """Called by MkDocs with the HTML of every page."""
    return _FORMULA.sub(_mathml, content)


def _mathml(found):
    element, written = found.groups()
    latex = html.unescape(written.strip()[2:-2])  # between \( and \), or \[ and \]
    mathml = convert(latex, display="block" if element == "div" else "inline")
    return f'<{element} class="formula">{mathml}</{element}>'
