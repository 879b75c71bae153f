"""A service's own child asks for the restart of that service. The restart completes, whoever is killed by it."""
import shlex

import pytest

from harness.subject import ORIGINAL, TESTED
from harness.wait import until

# Both given explicitly, but for the one pair that the language refuses: there killasgroup is left out.
COMBINATIONS = {
    "neither": "stopasgroup=false\nkillasgroup=false\n",
    "killasgroup": "stopasgroup=false\nkillasgroup=true\n",
    "stopasgroup": "stopasgroup=true\n",
    "both": "stopasgroup=true\nkillasgroup=true\n",
}


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_restart_by_the_services_own_child_completes(new_daemon, combination):
    if TESTED is ORIGINAL and "stopasgroup=true" in COMBINATIONS[combination]:
        pytest.skip("the original's client is killed between its two calls, and the service stays stopped")
    daemon = new_daemon()
    # The service asks once, in its first life, through a child that it waits for; the second life stays.
    restart = shlex.join([*TESTED.control, "-c", str(daemon.file), "restart", "a"])
    script = daemon.directory / "service.sh"
    script.write_text(f'echo $$ >>lives\n[ "$(wc -l <lives)" = 1 ] && {{ {restart} >restart.out 2>&1 & wait; }}\nexec sleep 9999\n')
    daemon.configure(f"[program:a]\ncommand=/bin/sh {script}\ndirectory={daemon.directory}\nstopwaitsecs=5\n" + COMBINATIONS[combination])
    daemon.start()
    until(lambda: daemon.read("lives").count("\n") == 2, "the second life", 40)
    first, second = (int(line) for line in daemon.read("lives").split())
    assert daemon.until_state("a", "RUNNING")["pid"] == second != first
    assert daemon.read("lives").count("\n") == 2, "restarted once and not more"


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_restart_of_two_services_by_a_child_of_one(new_daemon, combination):
    if TESTED is ORIGINAL and "stopasgroup=true" in COMBINATIONS[combination]:
        pytest.skip("the original's client is killed between its two calls, and the service stays stopped")
    daemon = new_daemon()
    restart = shlex.join([*TESTED.control, "-c", str(daemon.file), "restart", "all"])
    script = daemon.directory / "service.sh"
    script.write_text(f'echo $$ >>lives\n[ "$(wc -l <lives)" = 1 ] && {{ {restart} >restart.out 2>&1 & wait; }}\nexec sleep 9999\n')
    options = f"directory={daemon.directory}\nstopwaitsecs=5\n" + COMBINATIONS[combination]
    other = f"[program:b]\ncommand=/bin/sh -c 'echo $$ >>others; exec sleep 9999'\n{options}"
    daemon.configure(f"[program:a]\ncommand=/bin/sh {script}\n{options}{other}")
    daemon.start()
    until(lambda: daemon.read("lives").count("\n") == 2 and daemon.read("others").count("\n") == 2, "both started again", 40)
    daemon.until_running("a", "b")


def test_the_pair_that_cannot_work_is_refused(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/cat\nstopasgroup=true\nkillasgroup=false\n")
    result = daemon.run_to_end()
    assert result.returncode == 2
    assert "Cannot set stopasgroup=true and killasgroup=false" in result.stderr
