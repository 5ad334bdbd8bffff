"""`buttonwood keys`: make, list and revoke API keys, and make tokens.

Works beside a running venue, which notices changes within a second.
"""
import argparse

from buttonwood.server_home import make_data_dir
from engine.config import Config
from engine.core.codes import FIRST_USER_ACCOUNT
from engine.errors import ConfigError
from gateway.keys import make_key, read_keys, revoke_key
from gateway.tokens import make_token


def run_keys(config: Config, arguments: argparse.Namespace) -> int:
    """Do what the arguments say; exit status 0, or 1 when there is no such key. Raises ConfigError."""
    make_data_dir(config.paths.data_dir)
    actions = {"make": _make, "list": _list, "revoke": _revoke, "token": _token}
    return actions[arguments.action](config, arguments)


def _make(config: Config, arguments: argparse.Namespace) -> int:
    key = make_key(config.paths.keys, _account(arguments.account), arguments.kind, arguments.label)
    print(f"key    {key.api_key}\nsecret {key.secret.rstrip()}\n\nThe secret is shown this once.")
    return 0


def _list(config: Config, arguments: argparse.Namespace) -> int:
    print(f"{'key':64}  {'kind':7}  {'account':>7}  label")
    for record in read_keys(config.paths.keys):
        print(f"{record.api_key:64}  {record.kind:7}  {record.account:7}  {record.label}")
    return 0


def _revoke(config: Config, arguments: argparse.Namespace) -> int:
    found = revoke_key(config.paths.keys, arguments.key)
    print("revoked" if found else f"{config.paths.keys} holds no such key; `buttonwood keys list` shows all")
    return 0 if found else 1


def _token(config: Config, arguments: argparse.Namespace) -> int:
    try:
        print(make_token(config, _account(arguments.account), arguments.ttl))
    except ValueError as error:
        raise ConfigError(f"--ttl: {error}") from None
    return 0


def _account(number: int) -> int:
    if not FIRST_USER_ACCOUNT <= number < 2**32:
        raise ConfigError(f"--account {number}: accounts of customers are {FIRST_USER_ACCOUNT} to {2**32 - 1}")
    return number
