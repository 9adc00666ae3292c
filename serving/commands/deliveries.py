"""Commands around deliveries: previews, profiles, and pupils who changed school."""

from pathlib import Path

import click

from features.errors import DeliveryRefused, MatchRefused
from features.vocabulary import Role
from serving.commands.context import Work

FILE = click.Path(exists=True, path_type=Path)


def preview_all(work: Work, paths: tuple[Path, ...]) -> None:
    """Show how each delivery would be read; nothing is stored."""
    from features.ingest import IngestSettings
    from features.ingest.preview import preview

    settings = work.settings.section("ingest", IngestSettings)
    for path in paths:
        for one in preview(path, work.home, work.clock(), settings):
            for line in one.lines():
                work.say(line)


@click.group()
def profile() -> None:
    """The forms in which source systems deliver."""


@profile.command("check")
@click.argument("path", type=FILE)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the proposed profile here, for instance var/profiles/ours.toml.",
)
@click.pass_obj
def check(work: Work, path: Path, out: Path | None) -> None:
    """Say which profile FILE is nearest to, and propose a start for one of its own."""
    from features.ingest import IngestSettings
    from features.ingest.preview import check_profile

    settings = work.settings.section("ingest", IngestSettings)
    found = check_profile(path, work.home, settings)
    for one in found:
        for line in one.lines():
            work.say(line)
        if out is None:
            click.echo("\n" + one.toml)
    if out is not None:
        if out.exists() or len(found) != 1:
            raise DeliveryRefused(f"{out}: exists already, or {path} holds more than one table.")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(found[0].toml, encoding="utf-8")
        work.say(f"a start for a profile stands in {out}; look at every line before it is used")


@click.group()
def match() -> None:
    """Pupils who changed school within the region: one history, if two people sign."""


@match.command("propose")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.pass_obj
def propose(work: Work, out: Path) -> None:
    """Write who seems to have moved, by pseudonym; names stay in the vault."""
    from features.ingest.moves import propose_matches
    from features.records import RecordLog
    from features.records.leavers import leavers

    _allowed(work)
    work.need(work.home.records, "run `tijdig ingest` first")
    moment = work.clock()
    found = propose_matches(work.home, moment, work.environ)
    found.write(out)
    unknown = leavers(RecordLog(work.home.records), moment)["left_to"].to_list().count("unknown")
    work.say(
        f"{out}: {len(found.matches)} pupils may have moved within the region, "
        f"{found.unclear} more have more than one candidate and are left out; "
        f"{unknown} left without a known next school. Two people sign: "
        f'tijdig match sign {out} --by "name"'
    )


@match.command("sign")
@click.argument("path", type=FILE)
@click.option("--by", required=True, help="Your own name.")
@click.pass_obj
def sign_command(work: Work, path: Path, by: str) -> None:
    """Sign the matches in PATH; needed twice, by two people."""
    from features.ingest.moves import read_match_file, sign

    signed = sign(work.home, read_match_file(path), by, work.clock(), work.environ)
    signed.write(path)
    work.say(f"{path}: {len(signed.matches)} matches, signed by {len(signed.signatures)}")


@match.command("apply")
@click.argument("path", type=FILE)
@click.pass_obj
def apply_command(work: Work, path: Path) -> None:
    """Let the matched pupils go on under one key from now on."""
    from features.governance import open_ledger
    from features.governance.audit import AuditChain
    from features.ingest.moves import apply_matches, read_match_file

    _allowed(work)
    file, moment = read_match_file(path), work.clock()
    rows = apply_matches(work.home, file, moment, work.environ)
    chain = AuditChain(open_ledger(work.home))
    signed_by = " and ".join(one.name for one in file.signatures)
    detail: dict[str, str | int] = {
        "pupils": len(file.matches),
        "rows": rows,
        "signed_by": signed_by,
    }
    chain.append(moment, work.operator, Role.JOB, "pupils matched", detail=detail)
    work.say(f"{len(file.matches)} pupils go on under one key; {rows} records rewritten")


def _allowed(work: Work) -> None:
    from features.ingest import IngestSettings

    if work.settings.section("ingest", IngestSettings).moves == "anew":
        raise MatchRefused(
            '[ingest] moves = "anew": pupils start anew at the next school here. '
            'Set it to "match" if the schools agreed otherwise.'
        )


COMMANDS = (profile, match)
