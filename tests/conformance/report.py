"""What the cases found, in words: a table by group of cases, and which results are wrong."""
from collections import Counter
from typing import Any

Result = dict[str, Any]
GROUPS = {"1": "framing", "2": "pings and pongs", "3": "reserved bits", "4": "opcodes", "5": "fragmentation",
          "6": "UTF-8", "7": "closing handshake", "9": "sizes and many small messages", "10": "automatic fragmentation",
          "12": "compression", "13": "compression, negotiated terms"}
GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")
TEXT_ONLY = 1003      # RFC 6455, 7.4.1: a listener for text only may close with this when data of another kind comes
OK, REFUSED, NOT_OFFERED, FAILED = "passed", "binary refused with 1003", "not offered", "failed"


def verdict(result: Result) -> str:
    """One word for a case."""
    if result["behavior"] in GOOD and result["close"] in GOOD:
        return OK
    if result["behavior"] == "UNIMPLEMENTED":
        return NOT_OFFERED
    if result["echoes"] and result["code"] == TEXT_ONLY and result["case"].split(".")[0] in ("1", "9"):
        return REFUSED
    return FAILED


def failures(results: list[Result]) -> list[str]:
    """Cases that are not as they should be."""
    return [f"{each['case']}: {each['behavior']}, close {each['close']} {each['code']}"
            for each in results if verdict(each) == FAILED]


def table(listeners: dict[str, list[Result]]) -> str:
    """Markdown: how many cases of each group had which verdict, per listener."""
    lines = ["| cases | " + " | ".join(listeners) + " |", "|---" * (1 + len(listeners)) + "|"]
    for number, title in GROUPS.items():
        cells = [_cell([each for each in results if each["case"].split(".")[0] == number])
                 for results in listeners.values()]
        lines.append(f"| {number} {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(results: list[Result]) -> str:
    counts = Counter(verdict(each) for each in results)
    return ", ".join(f"{counts[word]} {word}" for word in (OK, REFUSED, NOT_OFFERED, FAILED) if counts[word])
