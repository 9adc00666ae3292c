"""Commands of the privacy officer: the audit chain, the contracts."""

import click

from features.errors import VerificationFailed
from serving.commands.context import Work


@click.group()
def privacy() -> None:
    """Who used what, and proof of it."""


@privacy.command()
@click.pass_obj
def verify(work: Work) -> None:
    """Check the audit chain and the ledger row by row."""
    from features.governance import open_ledger
    from features.governance.audit import AuditChain
    from features.governance.ledger import Ledger

    engine = open_ledger(work.home)
    verdict = AuditChain(engine).verify()
    problems = [*verdict.problems, *Ledger(engine).verify()]
    if problems:
        raise VerificationFailed("; ".join(problems))
    work.say(f"audit chain intact: {verdict.rows} rows; ledger intact")


@privacy.command()
def contracts() -> None:
    """Write a proposal into features/governance/contracts.toml for what is new or changed."""
    from features.catalogue import CATALOGUE
    from features.governance.contracts import CONTRACTS_FILE, write_contracts

    write_contracts(CATALOGUE, CONTRACTS_FILE)
    click.echo(f"{CONTRACTS_FILE}: {len(CATALOGUE)} contracts")


COMMANDS = (privacy,)
