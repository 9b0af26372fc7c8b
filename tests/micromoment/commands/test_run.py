from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from micromoment.commands.run import configure_logs
from micromoment.configuration.settings import Settings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_for_programs_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="json"))
    structlog.get_logger("collector.spool.writer").warning("insert_failed", waiting=3, text="a\nb")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"]) == ("insert_failed", "warning", "collector.spool.writer")
    assert (said["waiting"], said["text"]) == (3, "a\nb")
    assert said["timestamp"].endswith("Z")


def test_a_library_logs_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="json"))
    try:
        raise KeyError("bug")
    except KeyError:
        logging.getLogger("some.library").exception("it failed: %s", "badly")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "it failed: badly"
    assert "KeyError" in json.loads(line)["exception"]


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="warning"))
    structlog.get_logger("collector").info("quiet")
    logging.getLogger("some.library").info("quiet")
    assert capsys.readouterr().err == ""


def test_a_line_for_people_names_the_event(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="text"))
    structlog.get_logger("collector").warning("insert_failed", waiting=3)
    assert "insert_failed" in capsys.readouterr().err
