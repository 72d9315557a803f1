"""The page about new protocols: what it shows is a plugin that works, of as many lines as it says."""

import re
from pathlib import Path

from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.audit import audit
from gridpact.scenarios.audit.report import report
from gridpact.scenarios.extension.plugins import vocabulary
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import load_run
from gridpact.scenarios.replay.replaying import replay

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "new-protocol.md").read_text("utf-8")
CODE = "\n\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
(YAML,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SHORT = {"time.first_delivery": "2026-03-02T12:30:00+01:00", "time.market_time_units": "1", "time.tail_min": "2"}


def counted(code: str) -> int:
    """Lines that are neither empty nor docstrings."""
    lines = [line.strip() for line in code.splitlines()]
    return len([line for line in lines if line and not (line.startswith('"""') and line.endswith('"""'))])


def test_it_is_as_short_as_the_page_says() -> None:
    assert f"three steps, {counted(CODE)} lines of code" in PAGE


def test_the_plugin_of_the_page_works_from_check_to_replay(tmp_path: Path) -> None:
    (tmp_path / "grid_state.py").write_text(CODE)
    (tmp_path / "mine.yaml").write_text(YAML)
    scenario = load_scenario(tmp_path / "mine.yaml", SHORT)
    added = set(vocabulary(scenario).messages) - set(BUSINESS_USE_CASE.messages)
    assert added == {"my.grid-state-query/1", "my.grid-state/1"}
    run(scenario, out=tmp_path / "run")
    (tmp_path / "grid_state.py").unlink()
    recorded = load_run(tmp_path / "run")
    said = [row["content"] for row in recorded.message_rows if row["type"] == "my.grid-state/1"]
    assert [content["element"] for content in said] == ["line 3-8"]
    result = audit(recorded)
    assert result.findings == ()
    assert [line for line in report(result) if line.startswith("  12.")] != []
    assert recorded.kpis["kpi_1_information_exchange"]["information"]["INFO 12"]["delivered"] == 2
    assert replay(recorded) == []
