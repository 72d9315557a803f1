"""The protocols of each stage of the business use case, as tables."""

from . import activation, offering, prequalification, reserve, settlement

STAGES = (prequalification, reserve, offering, activation, settlement)
PROTOCOLS = tuple(protocol for stage in STAGES for protocol in stage.PROTOCOLS)
