"""What the site does beyond mkdocs: folders in the navigation, links that leave docs/, and no file from a network."""

import re
from pathlib import Path
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+)([^)]+)\)")
_SHIM = "https://unpkg.com/iframe-worker/shim"
"""What lets search work on pages that are opened from a disk; our copy is in docs/assets."""


def on_config(config: Any) -> Any:
    """The configuration, with every folder in the navigation replaced by its pages."""
    docs = Path(config["docs_dir"])
    for section in config["nav"]:
        for title, value in section.items():
            if isinstance(value, str) and (docs / value).is_dir():
                section[title] = sorted(
                    str(p.relative_to(docs)) for p in (docs / value).glob("*.md")
                )
    return config


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page's text, with links that leave docs/ replaced by the path in the repository."""
    depth = page.file.src_uri.count("/")

    def inside(match: re.Match[str]) -> str:
        text, ups, path = match.groups()
        return match[0] if ups.count("../") <= depth else f"{text.strip('`')} (`{path}`)"

    return _OUTSIDE.sub(inside, markdown)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """The page, with our copy of the script that mkdocs-material would load from a network."""
    return output.replace(_SHIM, "../" * page.file.src_uri.count("/") + "assets/iframe-worker.js")


def on_post_template(output: str, **_: Any) -> str:
    """The same for pages that are made from no text, such as 404.html."""
    return output.replace(_SHIM, "assets/iframe-worker.js")
