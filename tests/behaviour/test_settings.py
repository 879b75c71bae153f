"""`linchpin settings`: what is declared in `[setting:NAME]` and kept in a file of `NAME=value` lines."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.subject import LINCHPIN

pytestmark = pytest.mark.ours("there is nothing like it")

DECLARED = """\
[supervisord]
[linchpin]
settings_file=%(here)s/conf/s.env
settings_history=3
[setting:APP_PORT]
type=port
default=8080
group=Web
label=Port
help=Where the web server listens.
services=web
[program:web]
command=/bin/sleep 9999
[setting:APP_LEVEL]
type=enum
choices=debug,info
default=info
former_names=OLD_LEVEL
[setting:APP_URL]
type=url
schemes=postgresql
[setting:APP_KEY]
type=secret
generate=true
generate_length=13
"""


class Product:
    def __init__(self, folder, declarations=DECLARED):
        self.conf, self.env = folder / "s.conf", folder / "conf/s.env"
        self.conf.write_text(declarations)

    def command(self, *words):
        return [LINCHPIN.daemon[0], "settings", "-c", str(self.conf), *words]

    def environment(self, extra):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("APP_", "OLD_", "LINCHPIN_"))}
        return {**kept, **extra}

    def run(self, *words, stdin="", status=0, **environment):
        result = subprocess.run(
            self.command(*words), input=stdin, capture_output=True, text=True, timeout=30, env=self.environment(environment)
        )
        assert result.returncode == status, result
        return result

    def write(self, text):
        self.env.parent.mkdir(exist_ok=True)
        self.env.write_text(text)

    def text(self):
        return self.env.read_text()


@pytest.fixture
def product(tmp_path):
    return Product(tmp_path)


def test_values_come_from_default_file_and_environment_in_this_order(product):
    assert product.run("get", "APP_PORT").stdout == "8080\n"
    product.write("APP_PORT=81\nOLD_LEVEL=debug\n")
    assert product.run("get", "APP_PORT").stdout == "81\n"
    assert product.run("get", "APP_PORT", APP_PORT="82").stdout == "82\n"
    assert product.run("get", "APP_PORT", APP_PORT="").stdout == "\n", "an empty value is a value"
    assert product.run("get", "APP_LEVEL").stdout == "debug\n", "a former name counts"
    assert "OLD_LEVEL" in product.run("list").stderr
    product.run("get", "APP_URL", status=3)


def test_the_list_shows_values_sources_and_what_is_wrong_without_secrets(product):
    product.write("APP_PORT=99999\nAPP_KEY=geheim\nAPP_URL=postgresql://me:geheim@db/x\nAPP_PROT=geheim\n")
    result = product.run("list", status=3, APP_LEVEL="debug")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["APP_LEVEL", "debug", "environment"] in rows
    assert ["APP_KEY", "********", "file"] in rows
    assert ["APP_URL", "postgresql://me:********@db/x", "file"] in rows
    assert rows[0] == ["Web"]
    assert "Error: APP_PORT (settings file, line 1) is no port from 1 to 65535" in result.stderr
    assert "APP_PROT in the settings file is no setting" in result.stderr
    assert "geheim" not in result.stdout + result.stderr


def test_a_change_keeps_the_rest_of_the_file_and_names_what_has_to_be_restarted(product):
    product.write("# head\n\nAPP_PORT='81' # the port\nOTHER=\"kept\"\n")
    result = product.run("set", "APP_PORT", "82")
    assert result.stdout == "changed: APP_PORT\nto be restarted for it: web\n"
    assert product.text() == "# head\n\nAPP_PORT=82 # the port\nOTHER=\"kept\"\n"
    product.run("set", "APP_URL=postgresql://h/a b".replace(" ", "%20"), "APP_LEVEL=debug")
    assert product.run("get", "APP_URL").stdout == "postgresql://h/a%20b\n"
    product.run("unset", "APP_URL", "APP_LEVEL")
    assert product.text() == "# head\n\nAPP_PORT=82 # the port\nOTHER=\"kept\"\n"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["APP_PORT", "99999"], 3, "Error: APP_PORT is no port"),
        (["APP_LEVEL=debug", "APP_PORT=x"], 3, "is no port"),
        (["APP_LEVEL", "a\nB=1"], 3, "APP_LEVEL cannot have this value: there is a control character"),
        (["APP_PROT", "1"], 4, "there is no setting APP_PROT; did you mean APP_PORT?"),
        (["APP_KEY", "geheim"], 2, "`set APP_KEY -` reads it from standard input"),
        (["APP_URL", "postgresql://u:geheim@h"], 2, "must not be an argument"),
        (["APP_KEY"], 2, "write set NAME VALUE"),
    ],
)
def test_what_is_refused_changes_nothing_and_has_a_remedy(product, words, status, said):
    product.write("APP_PORT=81\n")
    result = product.run("set", *words, status=status)
    assert said in result.stderr
    assert "geheim" not in result.stderr + result.stdout
    assert product.text() == "APP_PORT=81\n"
    assert not product.env.with_name("s.env.history").exists()


def test_secrets_come_from_standard_input_or_a_file_and_are_printed_only_when_asked_for(product, tmp_path):
    secret = "it's $5 `and` \"more\" \\ #"
    product.run("set", "APP_KEY", "-", stdin=f"{secret}\n")
    assert product.env.stat().st_mode & 0o777 == 0o600
    refused = product.run("get", "APP_KEY", status=3)
    assert secret not in refused.stderr + refused.stdout
    assert product.run("get", "APP_KEY", "--reveal").stdout == f"{secret}\n"
    file = tmp_path / "key"
    file.write_text("another")
    product.run("set", "APP_KEY", "--from", str(file))
    assert product.run("get", "APP_KEY", "--reveal").stdout == "another\n"
    for words in (["list"], ["explain", "APP_KEY"], ["diff"], ["history"], ["rollback"]):
        result = product.run(*words)
        for shown in (secret, "another"):
            assert shown not in result.stdout + result.stderr
    # A shell that reads the same file understands the same.
    read = subprocess.run(["sh", "-c", '. "$0"; printf %s "$APP_KEY"', str(product.env)], capture_output=True, text=True)
    assert read.stdout == secret


def test_previous_versions_are_kept_shown_and_brought_back(product):
    product.write("# mine\nAPP_PORT=1\n")
    for port in range(2, 7):
        product.run("set", "APP_PORT", str(port))
    history = product.run("history").stdout.splitlines()
    assert [line.split()[0] for line in history] == ["3", "4", "5"]
    assert all("then changed: APP_PORT" in line for line in history)
    assert "APP_PORT: 3 → 6" in product.run("diff", "3").stdout
    assert "version 3 is back" in product.run("rollback", "3").stdout
    assert product.text() == "# mine\nAPP_PORT=3\n"
    product.run("rollback")
    assert product.text() == "# mine\nAPP_PORT=6\n"
    product.run("rollback", "99", status=4)


def test_a_file_that_a_shell_would_act_upon_is_told_by_line_and_name_and_never_by_value(product):
    product.write("APP_PORT=81\nAPP_KEY=$(geheim)\nexport APP_LEVEL=geheim\n")
    result = product.run("list", status=1)
    assert "s.env: line 2 (APP_KEY): a shell would replace what begins with `$`" in result.stderr
    assert "s.env: line 3 (APP_LEVEL): write NAME=value without `export`" in result.stderr
    assert "geheim" not in result.stderr + result.stdout
    product.run("set", "APP_PORT", "82", status=1)


def test_the_environment_locks_a_setting_and_says_so(product):
    result = product.run("set", "APP_PORT", "82", APP_PORT="99")
    assert "APP_PORT is set by the environment, which beats the settings file" in result.stderr
    text = product.run("explain", "APP_PORT", APP_PORT="99").stdout
    assert "99, from the environment" in text
    assert f"82 ({product.env}:" in text
    assert "Where the web server listens." in text and "web" in text


def test_containers_that_boot_at_once_on_one_volume_get_one_secret(product):
    def boot(_):
        made = product.run("generate").stdout
        return made, product.run("get", "APP_KEY", "--reveal").stdout

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(boot, range(8)))
    assert len({secret for _, secret in answers}) == 1
    assert sorted(made for made, _ in answers).count("generated: APP_KEY\n") == 1
    assert len(answers[0][1]) == 13 + 1


def test_what_the_environment_supplies_is_not_generated(product):
    product.run("generate", APP_KEY="mine")
    product.run("generate", APP_KEY="")
    assert not product.env.exists()


def test_what_the_environment_supplies_and_is_no_text_is_an_error(product):
    refused = product.run("generate", status=3, APP_KEY="caf\udce9")
    assert "APP_KEY (environment) is no text, because it is not UTF-8" in refused.stderr and "caf" not in refused.stderr
    assert not product.env.exists()


def test_writers_take_turns_and_none_is_lost(product):
    names = [f"APP_{number}" for number in range(8)]
    product.conf.write_text(DECLARED + "".join(f"[setting:{name}]\n" for name in names))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: product.run("set", name, "x"), names))
    assert sorted(product.text().split()[-8:]) == [f"{name}=x" for name in names]


def test_a_command_that_judges_values_decides(product):
    judge = "[setting:APP_MAIL]\nvalidate=sh -c 'read value; test \"$value\" = good || { echo bad $value >&2; exit 1; }'\n"
    product.conf.write_text(DECLARED + judge)
    result = product.run("set", "APP_MAIL", "geheim", status=3)
    assert "bad ********" in result.stderr
    product.run("set", "APP_MAIL", "good")
    assert "APP_MAIL=good\n" in product.text()


def test_a_file_without_settings_says_what_to_do(product):
    product.conf.write_text("[supervisord]\n")
    assert "it has no section [setting:NAME]" in product.run("list", status=4).stderr
    product.conf.write_text(DECLARED.replace("[linchpin]", "[linchpin]\nextensions=off"))
    assert "extensions=off" in product.run("list", status=4).stderr
    product.conf.write_text(DECLARED.replace("type=port", "type=prot"))
    assert "did you mean `port`?" in product.run("list", status=2).stderr


def test_a_writer_that_is_killed_in_the_middle_leaves_the_file_as_it_was(product):
    product.write("APP_PORT=81\n")
    # The kernel kills whoever writes a byte of a file.
    command = ["sh", "-c", 'ulimit -c 0; ulimit -f 0; exec "$@"', "sh", *product.command("set", "APP_PORT", "82")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, env=product.environment({}))
    assert result.returncode < 0 or result.returncode == 1, result
    assert product.text() == "APP_PORT=81\n"
    assert "APP_PORT=82" not in product.run("history").stdout
    product.run("set", "APP_PORT", "83")
    assert product.text() == "APP_PORT=83\n"
    left = [path.name for path in product.env.parent.rglob("*.new")]
    assert left == [], "the next writer removes what was left"


def test_writers_that_are_killed_at_any_moment_leave_a_whole_file(product):
    product.write("APP_PORT=1\n")
    for port in range(2, 22):
        process = subprocess.Popen(product.command("set", "APP_PORT", str(port)), env=product.environment({}), stdout=subprocess.DEVNULL)
        try:
            process.wait(port / 2000)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert product.text() in {f"APP_PORT={known}\n" for known in range(1, port + 1)}
    product.run("set", "APP_PORT", "99")
    assert product.text() == "APP_PORT=99\n"
    assert not list(product.env.parent.rglob("*.new"))
