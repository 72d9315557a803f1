"""`gridpact report`: one page that holds everything, says what the record says, and works in a real browser."""

import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gridpact.scenarios.cli import app
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.report.tables import sheets

Recorded = Callable[[str], Run]


@pytest.fixture(scope="session")
def text(page: Path) -> str:
    return page.read_text("utf-8")


def without_plotly(text: str) -> str:
    """The page but for the library that draws the plots."""
    return re.sub(r"<script>(?!\")(?:(?!</script>).){100000,}</script>", "", text, flags=re.DOTALL)


def test_the_command_writes_the_page_into_the_run(short: Recorded, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(short("blind").folder, run)
    done = CliRunner().invoke(app, ["report", str(run)])
    assert done.exit_code == 0, done.output
    assert (run / "report.html").is_file()
    assert CliRunner().invoke(app, ["audit", str(run)]).exit_code == 0


def test_the_page_needs_nothing_from_outside(text: str) -> None:
    own = without_plotly(text)
    assert len(own) < len(text) / 2
    assert not re.findall(r"""(?:src|href|url\()\s*=?\s*["'(]?\s*(?:https?:)?//""", own)


def test_the_worst_moment_is_among_those_shown_with_the_recorded_loading(recorded: Recorded, text: str) -> None:
    told = json.loads(text.partition('class="moments">')[2].partition("</script>")[0])
    recorded_worst = recorded("scenario-1-dso").kpis["violations"]["north"]["worst_loading_percent"]
    shown = [value for value in told["loading_percent"][told["worst"]] if value is not None]
    assert max(shown) == pytest.approx(recorded_worst, abs=0.02)
    assert told["branches"][told["loading_percent"][told["worst"]].index(max(shown))].lower() == "line 3-8"


def test_the_merit_order_shows_what_the_dso_cut(recorded: Recorded, text: str) -> None:
    figure = json.loads(text.partition('data-plot="merit-order">')[2].partition("</script>")[0])
    first = recorded("scenario-1-dso").merit_order
    first = first[(first["period"] == first["period"].min()) & (first["direction"] == "up")]
    cut = [bar for bar in figure["data"] if bar["name"] == "cut by the DSO" and bar["visible"]]
    told = [line for bar in cut for line in bar["hovertext"]]
    assert "line 3-8 loading_percent 128.173 > 100 (12:00:00)" in [line.partition("<br>")[2] for line in told]
    missing_mw = (first["offered_mw"] - first["allowed_mw"]).sum()
    assert sum(
        float(line.split(" MW")[0].split(": ")[1]) for line in told if line.startswith("bsp-c")
    ) == pytest.approx(missing_mw)


def test_limits_are_listed_without_those_that_only_renew_one(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    (limits,) = [sheet for sheet in sheets(run) if sheet.title.startswith("Limits")]
    told = run.kpis["real_time_limits"]
    assert told["renewals"] > 0
    assert len(limits.rows) == told["limits"] + told["lifts"] == len(run.limits) - told["renewals"]


def test_the_value_of_a_limit_is_that_of_a_study_and_the_report_says_so(recorded: Recorded) -> None:
    """The line is at 109.7 % when it is found to be overloaded; the study also has all orders and reserves on."""
    run = recorded("frequency-trip")
    first = run.limits.iloc[0]
    at_the_time = run.telemetry.set_index("at").loc[first["sent_at"], "north.worst_loading_percent"]
    assert first["ground"] == "measured"
    assert first["value"] > at_the_time + 1
    (limits,) = [sheet for sheet in sheets(run) if sheet.title.startswith("Limits")]
    assert "its value in the DSO's study" in limits.note


def test_the_books_are_the_account_of_everybody_and_balance(recorded: Recorded) -> None:
    run = recorded("frequency-trip")
    (books,) = [sheet for sheet in sheets(run) if sheet.title == "The books"]
    held = {row[0]: dict(zip(books.columns[1:], row[1:], strict=True)) for row in books.rows}
    assert {account: own["balance €"] for account, own in held.items()} == run.kpis["cost"]["balances_eur"]
    assert held["tso:neutrality"]["neutrality €"] == held["tso:neutrality"]["balance €"]
    for kind in books.columns[1:]:
        assert sum(Decimal(own[kind] or 0) for own in held.values()) == 0


def test_the_sequence_shows_the_steps_of_the_paper(text: str) -> None:
    assert "7.7 limit-request (INFO 8)" in text
    assert "offering for 02 Mar, 12:15: as for 02 Mar, 12:00" in text


def test_names_that_look_like_markup_stay_text(blind_page: Path) -> None:
    text = blind_page.read_text("utf-8")
    assert "<img src=x" not in without_plotly(text)
    assert "&lt;img src=x" in text


@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 900, False), (390, 844, True)])
def test_the_page_works_in_a_browser(
    browser: Any, page: Path, tmp_path: Path, width: int, height: int, *, dark: bool
) -> None:
    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())
    script = browser.execute_script
    for link in browser.find_elements("css selector", "nav a"):
        link.click()
    script("document.querySelectorAll('details').forEach(one => one.open = true)")
    script("document.querySelectorAll('.plot').forEach(draw)")
    clock = script("return document.querySelector('.clock').textContent")
    script("const s = document.querySelector('input[type=range]'); s.value = 0; s.dispatchEvent(new Event('input'))")
    assert script("return document.querySelector('.clock').textContent") != clock
    browser.find_element("css selector", ".drawing button").click()
    assert script("return document.querySelector('.clock').textContent") == clock
    assert script("return document.querySelectorAll('.plot .main-svg').length") >= script(
        "return document.querySelectorAll('.plot').length"
    )
    assert script("return document.documentElement.scrollWidth") <= width
    ground = script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in re.findall(r"\d+", ground)) < 200) is dark
    assert [line for line in browser.get_log("browser") if line["level"] in {"SEVERE", "WARNING"}] == []
    assert browser.save_screenshot(str(tmp_path / f"report-{width}.png"))
