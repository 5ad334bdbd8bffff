"""Every subcommand explains itself with an example; the keys command works on a resting venue."""
import subprocess
import sys

import jwt
import pytest

from buttonwood.cli import main
from engine.config import load_config
from gateway.keys import KeyStore, read_keys
from gateway.tokens import read_token

COMMANDS = ["up", "exchange", "worker", "feed", "rest", "traders", "setup", "verify", "keys", "keys make", "keys list",
            "keys revoke", "keys token", "journal ls", "journal dump", "journal check", ""]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([*command.split(), "--help"])
    assert exit_.value.code == 0
    assert "example: buttonwood" in " ".join(capsys.readouterr().out.split())


def test_the_overview_names_every_command():
    output = subprocess.run([sys.executable, "-m", "buttonwood", "--help"], capture_output=True, text=True, check=True)
    assert all(command.split()[0] in output.stdout for command in [*COMMANDS[:-1], "replay"])


def test_a_key_is_made_listed_and_revoked(data_dir, capsys):
    where = ["--data", str(data_dir / "venue")]
    assert main(["keys", "make", "--account", "7", "--label", "bot", *where]) == 0
    key, secret = (line.split()[1] for line in capsys.readouterr().out.splitlines()[:2])
    file = load_config(data_dir=where[1]).paths.keys
    record = read_keys(file)[0]
    assert (record.api_key, record.secret, record.account, record.label) == (key, secret, 7, "bot")
    assert main(["keys", "list", *where]) == 0
    listed = capsys.readouterr().out
    assert key in listed and "bot" in listed and secret not in listed
    assert main(["keys", "revoke", key, *where]) == 0
    assert KeyStore(file).find(key) is None
    assert main(["keys", "revoke", key, *where]) == 1


def test_an_ed25519_secret_is_a_private_key_that_is_not_kept(data_dir, capsys):
    where = ["--data", str(data_dir)]
    assert main(["keys", "make", "--account", "2", "--kind", "ed25519", *where]) == 0
    assert "-----BEGIN PRIVATE KEY-----" in capsys.readouterr().out
    assert "PRIVATE" not in load_config(data_dir=where[1]).paths.keys.read_text()


def test_a_token_stands_for_its_account(data_dir, capsys):
    assert main(["keys", "token", "--account", "9", "--ttl", "60", "--data", str(data_dir)]) == 0
    token = capsys.readouterr().out.strip()
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert read_token(load_config(data_dir=str(data_dir)), token) == 9


@pytest.mark.parametrize("arguments", [
    ["keys", "make", "--account", "1"], ["keys", "token", "--account", "2", "--ttl", "0"],
    ["up", "--demo", "--listing", "x.toml"]])
def test_what_makes_no_sense_is_refused_with_a_reason(arguments, data_dir, capsys):
    assert main([*arguments, "--data", str(data_dir)]) == 3
    assert capsys.readouterr().err.startswith("buttonwood: --")


def test_unknown_settings_are_refused(data_dir, capsys):
    (data_dir / "venue.toml").write_text("[rest]\nprot = 1\n")
    assert main(["up", "--config", str(data_dir / "venue.toml")]) == 3
    assert "prot" in capsys.readouterr().err
