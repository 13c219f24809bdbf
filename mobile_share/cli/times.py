"""Times as a person reads them, in the computer's own time zone."""

from datetime import datetime


def countdown(seconds: int) -> str:
    """Say how long a wait is: `2 h 59 min`, `4 min`, `12 s`; rounded up, so that it is enough."""
    if seconds <= 60:
        return f"{max(seconds, 0)} s"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def until(moment_s: int, now_s: int) -> str:
    """Say when a wait ends; `moment_s` and `now_s` are Unix times."""
    local = datetime.fromtimestamp(moment_s).astimezone()
    return f"wait {countdown(moment_s - now_s)}, until {local:%Y-%m-%d %H:%M}"
