"""The pages' templates: one look, nothing loaded from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, **values: Any) -> str:
    """A page's HTML; what users wrote is escaped.

    Args:
        template: the file's name in ``templates``, without ``.html.jinja``.
        values: what the template shows.
    """
    return _environment().get_template(f"{template}.html.jinja").render(**values)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from unrolled.reporting.diagnosis.scales import percentage

    environment = Environment(
        loader=PackageLoader("unrolled.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["score"] = lambda value: "-" if value is None else f"{value:.4f}"
    environment.filters["short"] = lambda value: "-" if value is None else f"{value:.4g}"
    environment.filters["share"] = lambda value: "-" if value is None else percentage(value)
    return environment
