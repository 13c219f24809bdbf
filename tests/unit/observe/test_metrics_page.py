"""docs/operations.md lists every metric with its labels, and no other."""

import re
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from signer_core.observe import metrics

PAGE = Path(__file__).resolve().parents[3] / "docs/operations.md"


def listed():
    rows = re.findall(r"^\| `(signer_\w+)` \| ([^|]*) \| [^|]+ \|$", PAGE.read_text(), re.M)
    return {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def defined():
    found = [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]
    return {
        one._name + ("_total" if isinstance(one, Counter) else ""): tuple(one._labelnames)
        for one in found
    }


def test_the_page_lists_every_metric_with_its_labels():
    assert listed() == defined()
    assert len(defined()) >= 10
