"""Pages: one template environment in which everything that is shown is escaped."""

from functools import cache

import jinja2


@cache
def environment() -> jinja2.Environment:
    """Templates of this package; a name that is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
