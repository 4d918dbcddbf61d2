"""How do documented operations answer that are not there yet? 501, in the shape of the API that they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import HttpMethod, route
from litestar.handlers import HTTPRouteHandler

from fairlead.base.errors import Refusal


def handlers_of(operations: Sequence[tuple[str, str]], refusal: type[Refusal]) -> list[HTTPRouteHandler]:
    """One for each method and path: it raises the refusal, which the API words."""

    async def answer() -> None:
        raise refusal

    return [
        route(
            path,
            http_method=HttpMethod(method),
            status_code=501,
            include_in_schema=False,
            name=f"not-built-{method}-{path}",
        )(answer)
        for method, path in operations
    ]
