"""The rows of the paper's Tables 1 and 2: which information goes from whom to whom at which step (as we read them).

Where the paper contradicts itself (INFO 1 of step 2 "TSO-BSP", INFO 6 of Table 2 "DSO-TSO") the sense of the
surrounding text is taken: TSO-DSO in both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: information, the step that carries it, and the direction."""

    table: int
    info: str
    stage: str
    step: str
    parties: str


TABLE_ROWS = (
    TableRow(1, "INFO 1", "prequalification step 1", "4.1", "BSP → TSO"),
    TableRow(1, "INFO 1", "prequalification step 2", "4.2", "TSO → DSO"),
    TableRow(1, "INFO 2", "prequalification step 4", "4.4", "DSO → TSO"),
    TableRow(1, "INFO 2", "prequalification step 5", "4.5", "TSO → BSP"),
    TableRow(1, "INFO 3", "offering without DSO step 1", "5.1", "BSP → TSO"),
    TableRow(1, "INFO 3", "offering without DSO steps 5, 6", "5.5", "TSO → BSP"),
    TableRow(1, "INFO 3", "offering without DSO steps 5, 6", "5.5", "TSO → DSO"),
    TableRow(1, "INFO 3", "offering with DSO step 1", "6.1", "BSP → TSO"),
    TableRow(1, "INFO 4", "offering with DSO step 4", "6.4", "TSO → DSO"),
    TableRow(1, "INFO 5", "offering with DSO step 5", "6.5", "DSO → TSO"),
    TableRow(1, "INFO 3", "offering with DSO steps 8, 9", "6.8", "TSO → BSP"),
    TableRow(1, "INFO 3", "offering with DSO steps 8, 9", "6.8", "TSO → DSO"),
    TableRow(1, "INFO 6", "activation step 1", "7.1", "TSO → BSP"),
    TableRow(1, "INFO 7", "activation step 3", "7.3", "BSP → TSO"),
    TableRow(1, "INFO 7", "activation step 7", "7.7", "DSO → TSO"),
    TableRow(1, "INFO 8", "activation step 7", "7.7", "DSO → TSO"),
    TableRow(1, "INFO 8", "activation step 8", "7.8", "TSO → BSP"),
    TableRow(2, "INFO 1", "prequalification step 1", "8.1", "TSO → DSO"),
    TableRow(2, "INFO 9", "prequalification step 1", "8.1", "DSO → TSO"),
    TableRow(2, "INFO 3", "offering step 1", "9.1", "DSO → TSO"),
    TableRow(2, "INFO 4", "offering step 4", "9.4", "TSO → DSO"),
    TableRow(2, "INFO 10", "offering step 5", "9.5", "DSO → TSO"),
    TableRow(2, "INFO 6", "activation step 1", "10.1", "TSO → DSO"),
    TableRow(2, "INFO 7", "activation step 3", "10.3", "DSO → TSO"),
)
