"""How does the server write its log? One line for each event: for people on a terminal, as JSON for machines."""

from __future__ import annotations

import asyncio
import logging
import sys

import structlog


def set_up_logs(level: str, form: str) -> None:
    """Send everything, that of libraries included, to standard error in one form. `auto`: text on a terminal."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if as_text else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_news)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _is_news(record: logging.LogRecord) -> bool:
    """A request that was cut off because the server stops is what stopping means, not a failure to be logged whole."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
