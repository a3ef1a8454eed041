"""The `crossrank` command: registers every command and turns errors into exit codes."""

from __future__ import annotations

import sys

import typer

from crossrank import __version__
from crossrank.cli import output
from crossrank.cli.architectures import architectures
from crossrank.cli.ask import ask
from crossrank.cli.calibrate import calibrate
from crossrank.cli.compare import compare
from crossrank.cli.curve import curve
from crossrank.cli.delete import delete
from crossrank.cli.demo import demo
from crossrank.cli.distil import distil
from crossrank.cli.duplicates import duplicates
from crossrank.cli.evaluate import evaluate
from crossrank.cli.experiment import experiment
from crossrank.cli.explain import explain
from crossrank.cli.export import export
from crossrank.cli.fuse import fuse
from crossrank.cli.index import index
from crossrank.cli.info import info
from crossrank.cli.judge import judge
from crossrank.cli.mine import mine
from crossrank.cli.optimise import optimise
from crossrank.cli.paragraphs import paragraphs
from crossrank.cli.quantise import quantise
from crossrank.cli.rerank import rerank
from crossrank.cli.score import score
from crossrank.cli.search import search
from crossrank.cli.train import train
from crossrank.cli.trim import trim
from crossrank.cli.tune import tune
from crossrank.errors import Error, exit_code

app = typer.Typer(
    name="crossrank",
    help="Index, search in stages, re-rank with a cross-encoder, evaluate. German and English.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# One line a command, in the order of the help page:
#   app.command("name")(function)
app.command("demo")(demo)
app.command("index")(index)
app.command("search")(search)
app.command("rerank")(rerank)
app.command("score")(score)
app.command("evaluate")(evaluate)
app.command("delete")(delete)
app.command("info")(info)
app.command("optimise")(optimise)
app.command("compare")(compare)
app.command("experiment")(experiment)
app.command("curve")(curve)
app.command("fuse")(fuse)
app.command("tune")(tune)
app.command("ask")(ask)
app.command("paragraphs")(paragraphs)
app.command("explain")(explain)
app.command("duplicates")(duplicates)
app.command("calibrate")(calibrate)
app.command("train")(train)
app.command("mine")(mine)
app.command("distil")(distil)
app.command("judge")(judge)
app.command("trim")(trim)
app.command("export")(export)
app.command("quantise")(quantise)
app.command("architectures")(architectures)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crossrank {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """Index, search in stages, re-rank with a cross-encoder, evaluate. German and English."""


def main() -> None:
    """Runs the command line; a crossrank error becomes one message and its exit code."""
    try:
        app()
    except Error as error:
        output.say(f"error: {error}", style="red")
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        output.say("interrupted")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output left, as `head` does
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
