"""A process's settings: its example file with this machine's values in place."""

import json
import re
from collections.abc import Mapping

Value = str | bool | int | list[str]


def render(example: str, values: Mapping[str, Value]) -> str:
    """Return `example` (TOML) with the values of `values` (`key` or `table.key`) put in.

    Raises:
        ValueError: a key that the example does not have exactly once.
    """
    lines, missing, table = [], dict(values), ""
    for line in example.splitlines():
        heading = re.match(r"\[([a-z_]+)\]", line)
        table = heading[1] + "." if heading else table
        setting = re.match(r"([a-z_0-9]+) = ", line)
        name = table + setting[1] if setting else ""
        # JSON's strings, numbers and lists of strings are TOML too.
        lines.append(
            f"{setting[1]} = {json.dumps(missing.pop(name))}"
            if setting and name in missing
            else line
        )
    if missing:
        raise ValueError(f"the example lacks {', '.join(missing)}")
    return "\n".join(lines) + "\n"
