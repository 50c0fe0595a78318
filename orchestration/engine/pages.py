"""Long answers, cut into pages. Source: AWS Step Functions API reference, `maxResults` and `nextToken`."""

import re
from collections.abc import Callable
from typing import TypeVar

from orchestration.engine.errors import ApiError
from orchestration.engine.limits import MAX_PAGE_SIZE, PAGE_SIZE
from orchestration.engine.requests import Parameters

Row = TypeVar("Row")


def after(parameters: Parameters) -> int:
    """The row that a page begins after, from the token of the page before it. Raise ApiError InvalidToken."""
    token = parameters.get("nextToken", "0")
    if not re.fullmatch(r"\d{1,15}", token):
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
    return int(token)


def limit(parameters: Parameters) -> int:
    """How many rows to read: one more than a page holds, which tells whether there is another page."""
    return _size(parameters) + 1


def cut(
    rows: list[Row], parameters: Parameters, mark: Callable[[Row], object]
) -> tuple[list[Row], Parameters]:
    """The rows of a page, and the token of the next page, which the last row's `mark` makes, if there is one."""
    size = _size(parameters)
    token = {"nextToken": str(mark(rows[size - 1]))} if len(rows) > size else {}
    return rows[:size], token


def _size(parameters: Parameters) -> int:
    """How many results a page holds; AWS's own size if nothing, or 0, is asked for."""
    return min(parameters.get("maxResults") or PAGE_SIZE, MAX_PAGE_SIZE)
