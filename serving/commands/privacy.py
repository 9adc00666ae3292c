"""Commands of the privacy officer: the audit chain, the ledger, the contracts, the dossier."""

from pathlib import Path

import click

from features.errors import VerificationFailed
from serving.commands.context import Work


@click.group()
def privacy() -> None:
    """Who used what, and proof of it."""


@privacy.command()
@click.option(
    "--head",
    "heads",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="A signed head that was kept elsewhere; may be repeated.",
)
@click.pass_obj
def verify(work: Work, heads: tuple[Path, ...]) -> None:
    """Check the audit chain, its signed heads and all sealed tables, row by row."""
    from features.governance import open_ledger
    from features.governance.approvals import Approvals
    from features.governance.audit import AuditChain
    from features.governance.erasures import Erasures
    from features.governance.heads import read_head
    from features.governance.ledger import Ledger
    from features.governance.renewals import Renewals
    from features.governance.stops import EmergencyStops
    from serving.retention import Proofs

    work.need(work.home.ledger, "nothing was done here yet")
    engine = open_ledger(work.home)
    kept = [read_head(path.read_text(encoding="utf-8"), str(path)) for path in heads]
    verdict = AuditChain(engine).verify(kept_elsewhere=kept)
    sealed = (
        Ledger(engine),
        Approvals(engine),
        EmergencyStops(engine),
        Erasures(engine),
        Renewals(engine),
        Proofs(engine),
    )
    problems = [*verdict.problems, *(line for one in sealed for line in one.verify())]
    if problems:
        raise VerificationFailed("; ".join(problems))
    work.say(
        f"audit chain intact: {verdict.rows} rows; ledger intact; "
        f"{len(kept)} heads kept elsewhere agree"
    )


@privacy.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def head(work: Work, target: Path) -> None:
    """Sign the newest row of the audit chain and write it to TARGET, to be kept elsewhere."""
    from features.governance import open_ledger
    from features.governance.audit import AuditChain

    work.need(work.home.ledger, "nothing was done here yet")
    chain = AuditChain(open_ledger(work.home))
    verdict = chain.verify()
    if not verdict.intact:
        raise VerificationFailed("; ".join(verdict.problems))
    signed = chain.heads.sign(work.clock()) if chain.heads else None
    if signed is None:
        raise VerificationFailed("the audit chain is empty; there is nothing to sign")
    target.write_text(signed.to_json(), encoding="utf-8")
    work.say(f"row {signed.sequence} signed; keep {target} where no administrator of it comes")


@privacy.command()
@click.option("--json", "as_json", is_flag=True, help="With the field names of the Dutch standard.")
@click.option("--feature", default="", help="Only the uses of this feature.")
@click.option("--month", default="", help="Only this month, as in 2026-11.")
@click.pass_obj
def ledger(work: Work, as_json: bool, feature: str, month: str) -> None:
    """Every retrieval of features: who, for what, of how many pupils; CSV, or JSON.

    Which pupils goes along sealed in JSON, and as the digest of that in CSV.
    """
    from features.governance import open_ledger
    from features.governance.ledger import Ledger
    from serving.ledger_files import to_csv, to_json
    from serving.registers import Selection

    work.need(work.home.ledger, "nothing was retrieved here yet")
    asked = Selection(feature=feature, month=month)
    uses = Ledger(open_ledger(work.home))
    rows, sets = [row for row in uses.rows() if asked.holds(row)], uses.sealed_sets()
    click.echo(to_json(rows, sets) if as_json else to_csv(rows, sets), nl=as_json)


@privacy.command()
@click.option("--check", is_flag=True, help="Only tell which approvals are void; fail if any is.")
@click.option(
    "--approve-again",
    is_flag=True,
    help="Let the approvals that stood stand for what the features are now (example contracts).",
)
def contracts(check: bool, approve_again: bool) -> None:
    """Bring features/governance/contracts.toml up to date with definitions and code.

    An approval is void when the definition of its feature changed, or the code that computes it;
    those features are named. On a real installation a privacy officer approves again in the app.
    """
    from features.catalogue import CATALOGUE
    from features.governance.contracts import (
        CONTRACTS_FILE,
        read_contracts,
        voided,
        write_contracts,
    )

    gone = voided(CATALOGUE, read_contracts())
    for name in gone:
        click.echo(f"void: {name} (its definition, or the code that computes it, changed)")
    if check and gone:
        raise VerificationFailed(f"{len(gone)} approvals are void; run `make contracts`")
    if not check:
        write_contracts(CATALOGUE, CONTRACTS_FILE, approve_again=approve_again)
        again = f", {len(gone)} of them approved again" if approve_again and gone else ""
        click.echo(f"{CONTRACTS_FILE}: {len(CATALOGUE)} contracts{again}")


@privacy.command()
@click.argument("version", type=int)
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def dossier(work: Work, version: int, target: Path) -> None:
    """Write the dossier of a model VERSION to TARGET (.yaml, .pdf or .html)."""
    from features.errors import NotThere
    from features.governance import open_ledger
    from serving.dossier import Dossiers
    from serving.dossier_desk import FILES
    from serving.models_in_use import ModelsInUse

    kind = target.suffix.removeprefix(".")
    if kind not in FILES:
        raise NotThere(f"{target}: a dossier comes as {', '.join(FILES)}")
    made = Dossiers(work.home, open_ledger(work.home), ModelsInUse(work.home)).of(
        version, work.clock()
    )
    content = FILES[kind][0](made)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    work.say(f"{target}: dossier of version {version}; {len(made.missing)} parts are missing")
    for line in made.missing:
        work.say(f"  {line}")


@privacy.command()
@click.option("--run", "carry_out", is_flag=True, help="Take out what is due; else only tell.")
@click.pass_obj
def retention(work: Work, carry_out: bool) -> None:
    """What has had its term ([retention] in the settings); a dry run unless --run is given."""
    from features.governance import open_ledger
    from features.governance.retention import RetentionSettings
    from features.vocabulary import Role
    from serving.retention import Retention
    from serving.tables import open_app

    work.need(work.home.records, "nothing is kept yet")
    settings = work.settings.section("retention", RetentionSettings)
    rules = Retention(work.home, open_app(work.home), open_ledger(work.home), settings)
    for one in rules.due(work.clock()):
        found = "never cut" if one.found is None else f"{one.found} due"
        work.say(f"{one.rule.name}: kept {one.term}, so until {one.before}: {found}")
    if carry_out:
        removed = rules.run(work.environ, work.operator, Role.JOB, work.clock())
        for name, rows in removed.items():
            work.say(f"{name}: {rows} rows taken out; written down in the audit chain")


@privacy.command()
@click.option("--run", "carry_out", is_flag=True, help="Renew them; else only tell what would be.")
@click.option("--reason", default="", help="Why now, when it is not yet due (a key that leaked).")
@click.pass_obj
def rotate(work: Work, carry_out: bool, reason: str) -> None:
    """Renew every pseudonym under a new key and destroy the old one; yearly, from 1 August.

    A dry run unless --run is given. Stop the pages first; they refuse meanwhile. A run that was
    cut short is finished by giving the command again.
    """
    from serving.renewal import PseudonymRenewal

    work.need(work.home.vault, "there are no pupils yet")
    renewal = PseudonymRenewal(work.home, work.environ)
    plan = renewal.plan(work.clock())
    if plan.begun:
        work.say("a renewal was cut short; nothing else works until it is finished (--run)")
    last = f"the last was on {plan.last}" if plan.last else "there was none yet"
    is_due = f"due since {plan.due_since}" if plan.due_since else f"due on {plan.next_on}"
    work.say(f"pseudonyms of version {plan.version}: {is_due}; {last}")
    for name, rows in plan.rows.items():
        work.say(f"{name}: {rows:,}")
    if carry_out:
        changed = renewal.run(work.operator, reason, work.clock(), work.say)
        work.say(f"renewed and written down in the audit chain: {sum(changed.values()):,} rows")
        work.say("backups from before can still be read with their own key: let them run out")


COMMANDS = (privacy,)
