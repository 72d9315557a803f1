"""What a plugin's agent cannot say, as to somebody who is not there, is told by the audit, though no step was due."""

import sys
from pathlib import Path

from gridpact.scenarios.audit import Audit, audit
from gridpact.scenarios.audit.report import report
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario

sys.path.insert(0, str(Path(__file__).parent))
from asking import PLUGIN


def audited(folder: Path, peer: str) -> Audit:
    (folder / "mine.py").write_text(PLUGIN.replace('"bsp-a"', f'"{peer}"'))
    (folder / "mine.yaml").write_text("gridpact: 1\nextends: blind\nname: mine\nplugins: [mine]\n")
    return audit(run(load_scenario(folder / "mine.yaml", {"time.market_time_units": "1"}), out=folder / "run"))


def test_a_conversation_that_could_not_be_begun_is_told_and_owes_nothing(tmp_path: Path) -> None:
    result = audited(tmp_path, "bsp-nowhere")
    told = "not said: my.ask/1 in tso/asking/now/it/bsp-nowhere, because bsp-nowhere is no BSP here"
    assert list(report(result))[-2:] == [told, "audit passed"]
    assert not [demand for demand in result.demands if demand.step.startswith("11.")]


def test_where_everything_was_said_nothing_is_told(tmp_path: Path) -> None:
    result = audited(tmp_path, "bsp-a")
    assert (result.unsaid, result.passed) == (None, True)
    assert [demand.step for demand in result.demands if demand.step.startswith("11.")] == ["11.1", "11.2"]
