"""Every row of the list of what Supervisor does has a test, or a line in docs/compatibility.md."""
import checklist


def test_every_row_is_proved_or_told():
    assert not checklist.problems()


def test_the_page_is_made_from_the_table():
    assert checklist.PAGE.read_text() == checklist.page(), "run tests/differential/checklist.py --write"
