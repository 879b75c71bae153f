"""Waiting for a condition, never for a time."""
import time

PATIENCE_SECONDS = 30
# Between two looks. Short, because most conditions are true within milliseconds.
LOOK_EVERY_SECONDS = 0.01


def until(condition, what, timeout=PATIENCE_SECONDS):
    """Answers with the first true value of `condition()`; fails with `what` and the last value seen."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain: {what} (last seen: {value!r})")
        time.sleep(LOOK_EVERY_SECONDS)


def stays(condition, what, seconds):
    """Fails as soon as `condition()` is no longer true within `seconds`: for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        assert value, f"{what} (seen: {value!r})"
        time.sleep(LOOK_EVERY_SECONDS)
