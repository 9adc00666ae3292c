"""Commands that open the pages: serve, and accounts by one-time set-up link."""

import click

from features.vocabulary import Role
from serving.commands.context import Work


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8350, show_default=True)
@click.pass_obj
def serve(work: Work, port: int) -> None:
    """Serve the pages on this machine only (loopback)."""
    import uvicorn

    from serving.web.app import create_app

    work.need(work.home.app, "run `tijdig week` or `tijdig demo` first")
    app = create_app(work.home, work.settings, work.clock, work.environ)
    work.say(f"open http://127.0.0.1:{port}/ (stop with Ctrl-C)")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)


@click.command()
@click.argument("email")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role if role is not Role.JOB]))
@click.option("--school", "schools", multiple=True, help="Six-character code; may be repeated.")
@click.option("--may-export", is_flag=True, help="May make a PDF or spreadsheet of pupils.")
@click.pass_obj
def account(
    work: Work, email: str, name: str, role: str, schools: tuple[str, ...], may_export: bool
) -> None:
    """Make an account (or a new link for one) and print its one-time set-up link."""
    work.say(setup_link(work, email, name, Role(role), schools, may_export=may_export))


def setup_link(
    work: Work,
    email: str,
    name: str,
    role: Role,
    schools: tuple[str, ...],
    *,
    may_export: bool = False,
) -> str:
    """Path of a fresh one-time link with which this person sets a password."""
    from serving.accounts import Accounts
    from serving.tables import open_app

    accounts = Accounts(open_app(work.home))
    if accounts.find(email) is None:
        accounts.add(email, name, role, schools, work.clock(), may_export=may_export)
    return f"/welkom/{accounts.make_link(email, work.clock())}"


COMMANDS = (serve, account)
