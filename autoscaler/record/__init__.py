"""The decision record: one JSON object a line that says what was seen, decided and why."""

from autoscaler.record.circumstances import Circumstances, circumstances_of
from autoscaler.record.line import RecordError, decision_line, notice_line, to_json
from autoscaler.record.memory import memories_of, memory_of
from autoscaler.record.read import CutLine, Entry, RecordedDecision, Start, read_record
from autoscaler.record.write import RecordWriter

__all__ = [
    "Circumstances",
    "CutLine",
    "Entry",
    "RecordError",
    "RecordWriter",
    "RecordedDecision",
    "Start",
    "circumstances_of",
    "decision_line",
    "memories_of",
    "memory_of",
    "notice_line",
    "read_record",
    "to_json",
]
