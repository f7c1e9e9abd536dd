"""The command ``forewarn``: parses, calls, prints; the work is done elsewhere."""

import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from forewarn import __version__, report_cli, studio_cli

if TYPE_CHECKING:
    from rich.console import Console

    from forewarn.model.predictor import Predictor
    from forewarn.records import Document
    from forewarn.sources import BrokenDocument, ReadOptions
    from forewarn.workers import WorkerOptions

OK, SOME_FAILED, CANNOT = 0, 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find the rhetoric that goes before lethal violence, and who says it about whom.",
)
corpus_app = typer.Typer(no_args_is_help=True, help="Check and build the corpus.")
annotate_app = typer.Typer(no_args_is_help=True, help="Compare, adjudicate and merge annotations.")
app.add_typer(corpus_app, name="corpus")
app.add_typer(annotate_app, name="annotate")
studio_cli.register(annotate_app, corpus_app)
report_cli.register(app)


class Engine(StrEnum):
    """Where documents are scored."""

    LOCAL = "local"
    RAY = "ray"


Corpus = Annotated[Path, typer.Option("--corpus", help="The corpus folder.")]


@app.command()
def score(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, patterns or -: text, .jsonl, .csv, .parquet, .html, .pdf, "
            ".docx, .warc, also .gz and .zst, and what datasets saved.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write: .jsonl(.gz, .zst), .parquet, .csv, .sqlite, .duckdb; a name "
            "without suffix is a folder of shards, and the run can be restarted.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model's folder, or the name of an installed one.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Lowest score of a span; the model's own if not given."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    highlight: Annotated[
        bool, typer.Option("--highlight", help="Print highlighted also where this is no terminal.")
    ] = False,
    flat: Annotated[
        bool, typer.Option("--flat", help="One row a span; beside the records in a folder.")
    ] = False,
    text_column: Annotated[str, typer.Option(help="The field of records that is scored.")] = "text",
    id_column: Annotated[str, typer.Option(help="The field that is their id.")] = "id",
    date_column: Annotated[
        str, typer.Option(help="The field that is the date of --flat.")
    ] = "date",
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A field to carry through as meta, more than once if wanted; * for all."),
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="Encoding of text files; auto finds it and says so in meta.")
    ] = "utf-8",
    gate: Annotated[
        bool | None,
        typer.Option(
            "--gate/--no-gate",
            help="Encode only what the gate lets through: on for a folder, off for a file.",
        ),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--format", help="Kind of the shards in a folder, as a suffix.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes of a folder; all cores if not given."),
    ] = None,
    shard_documents: Annotated[int, typer.Option(min=1, help="Documents in a shard.")] = 1000,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what an earlier run left in the folder.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="Where to score into a folder: here, or on Ray.")
    ] = Engine.LOCAL,
    ray_address: Annotated[
        str | None, typer.Option(help="A Ray cluster; one on this machine if not given.")
    ] = None,
) -> None:
    """Score documents: spans with voice, speaker and target; mention and use of each document.

    Exit status: 0 all scored, 1 some documents could not be scored (their records say why), 2
    nothing could be done.
    """
    from forewarn.documents import InputError, list_files
    from forewarn.model.files import ModelError
    from forewarn.outputs import OutputError
    from forewarn.shards import BatchError
    from forewarn.sources import ReadOptions
    from forewarn.workers import WorkerError, WorkerOptions

    carried = (*(keep or ()), *((date_column,) if flat else ()))
    read = ReadOptions(text_column, id_column, carried, encoding)
    folder = _output_folder(output, kind, engine)
    options = WorkerOptions(
        model, threshold, folder is not None if gate is None else gate, flat, date_column
    )
    try:
        _check_encoding(encoding)
        files = list_files(inputs, output)
        if folder is None:
            n_failed = _score_into_file(files, output, options, read, quiet, highlight)
        elif engine is Engine.RAY:
            n_failed = _score_on_ray(files, folder, options, read, kind, processes, ray_address)
        else:
            n_failed = _score_into_folder(
                files, folder, options, read, kind, processes, shard_documents, restart, quiet
            )
    except BrokenPipeError:  # who reads the output has read enough; typer ends quietly
        raise
    except (InputError, ModelError, OutputError, BatchError, WorkerError, OSError) as error:
        _fail(str(error))
    except ImportError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted" if output is None else _interrupted(folder), 130)
    raise typer.Exit(SOME_FAILED if n_failed else OK)


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(help="A built split, such as corpus/data/test.jsonl.")],
    predictions: Annotated[Path, typer.Argument(help="Records of 'forewarn score' in .jsonl.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all figures to this .json file.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the intervals.")] = 1000,
) -> None:
    """Compare predictions with gold: spans, voice, links, documents, intervals and chance."""
    from rich.console import Console

    from forewarn.corpus.load import read_gold
    from forewarn.evaluate import evaluate as compute
    from forewarn.figures import align_predictions, tabulate_figures
    from forewarn.jsonl import read_jsonl, write_json

    try:
        documents = read_gold(gold)
        figures = compute(
            documents,
            align_predictions(documents, read_jsonl(predictions), predictions),
            n_bootstrap=bootstrap,
        )
        if output is not None:
            write_json(output, figures)
    except (OSError, ValueError) as error:
        _fail(str(error))
    console = Console(width=None if sys.stdout.isatty() else 120)
    for table in tabulate_figures(figures):
        console.print(table)


@app.command()
def challenge(
    suite: Annotated[Path, typer.Argument(help="The cases.")] = Path(
        "corpus/challenge/cases.jsonl"
    ),
    model: Annotated[
        str | None, typer.Option(help="A model's folder, or the name of an installed one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all figures to this .json file.")
    ] = None,
) -> None:
    """Run a model over the challenge suite: a figure for each function, and for whole groups."""
    from forewarn.challenge import challenge as compute
    from forewarn.challenge import read_cases
    from forewarn.jsonl import write_json
    from forewarn.model.files import ModelError
    from forewarn.model.predictor import Predictor

    try:
        cases = read_cases(suite)
        predictor = Predictor.load(model)
    except (OSError, ValueError, ModelError) as error:
        _fail(str(error))
    figures = compute(cases, list(predictor.predict(case.text for case in cases)))
    try:
        if output is not None:
            write_json(output, figures)
    except OSError as error:
        _fail(str(error))
    for name, row in figures["functions"].items():
        typer.echo(
            f"{name:34} {row['n_cases']:5} cases  right {row['accuracy']:.3f}  "
            f"found {row['found_rate']:.3f}"
        )
    typer.echo(
        f"{predictor.name}: {figures['n_cases']} cases, mean over functions "
        f"{figures['accuracy']:.3f}; {figures['n_groups']} groups, right as a whole "
        f"{figures['groups']:.3f}"
    )


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="A configuration, such as models/configs/*.cfg.")],
    corpus: Corpus = Path("corpus"),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder under which the model is saved.")
    ] = Path("models"),
    encoder: Annotated[
        str | None, typer.Option(help="A local folder of a Hugging Face encoder.")
    ] = None,
) -> None:
    """Train a model from the built corpus, export, calibrate and save it."""
    from dataclasses import replace

    try:
        from forewarn.train import train as run
        from forewarn.training.config import read_config
    except ImportError as error:
        _fail(str(error))
    try:
        settings = read_config(config)
        if encoder is not None:
            settings = replace(settings, encoder=encoder)
        with _step_progress() as progress:
            manifest = run(settings, corpus, output, progress=progress)
    except (OSError, ValueError) as error:
        _fail(str(error))
    micro = manifest["validation"]["spans"]["micro"]
    typer.echo(
        f"{output / manifest['name']}: validation F1 {micro['f1_overlap'] or 0:.3f} (IoU 0.5), "
        f"{micro['f1_exact'] or 0:.3f} (exact); {manifest['seconds']} s"
    )


@app.command()
def gate(
    model: Annotated[
        str | None, typer.Argument(help="A model's folder, or the name of an installed one.")
    ] = None,
    corpus: Corpus = Path("corpus"),
) -> None:
    """Fit the gate of a model again: the linear model that tells what need not be encoded."""
    try:
        from forewarn.training.gate import refit_gate

        figures = refit_gate(model, corpus, lambda step: typer.echo(step, err=True))
    except (OSError, ValueError, ImportError) as error:
        _fail(str(error))
    typer.echo(
        f"validation: {figures['kept_rate']:.4f} of {figures['n_spans']} flagged spans kept, "
        f"{figures['window_rate']:.2f} of the windows encoded"
    )


@corpus_app.command("check")
def corpus_check(corpus: Corpus = Path("corpus")) -> None:
    """Check every source document against every rule; exit 1 if there is an error.

    Warnings ask for a look; those that were confirmed in corpus/confirmed.json are not shown.
    """
    from collections import Counter

    from forewarn.corpus.checks import Level, check_corpus, read_raw_documents
    from forewarn.corpus.review import review_corpus

    try:
        findings = check_corpus(corpus)
        findings += review_corpus(corpus, read_raw_documents(corpus)[0])
    except (OSError, ValueError) as error:
        _fail(str(error))
    for finding in findings:
        typer.echo(f"{finding.level}: {finding.place}: {finding.message} [{finding.rule}]")
    n = Counter(finding.level for finding in findings)
    typer.echo(f"{n[Level.ERROR]} errors, {n[Level.WARNING]} warnings", err=True)
    raise typer.Exit(SOME_FAILED if n[Level.ERROR] else OK)


@corpus_app.command("build")
def corpus_build(corpus: Corpus = Path("corpus")) -> None:
    """Write corpus/data from corpus/source, if the check finds no error."""
    from forewarn.corpus.build import BuildError, build_corpus

    try:
        counts = build_corpus(corpus)
    except BuildError as error:
        for finding in error.findings:
            typer.echo(f"{finding.place}: {finding.message} [{finding.rule}]", err=True)
        _fail(str(error), SOME_FAILED)
    except (OSError, ValueError) as error:
        _fail(str(error))
    for name, n in counts.items():
        typer.echo(f"{name}: {n} records")


@corpus_app.command("stats")
def corpus_stats(
    corpus: Corpus = Path("corpus"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the tables to this .md file.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Draw plots into this folder.")
    ] = None,
) -> None:
    """Print and plot what the built corpus is composed of."""
    from forewarn.corpus.stats import corpus_tables, format_tables, plot_tables

    try:
        tables = format_tables(corpus_tables(corpus))
        if plots is not None:
            for path in plot_tables(corpus, plots):
                typer.echo(str(path), err=True)
        if output is not None:
            output.write_text(f"# Statistics of the corpus\n\n{tables}", encoding="utf-8")
    except (OSError, ValueError, ImportError) as error:
        _fail(str(error))
    if output is None:
        typer.echo(tables)


@annotate_app.command("sheet")
def annotate_sheet(
    round_: Annotated[Path, typer.Argument(metavar="ROUND", help="The round's folder.")],
) -> None:
    """Compare two annotators' notation and write the adjudicator's sheet of differences."""
    from forewarn.annotation.rounds import write_sheet

    try:
        agreed, differences = write_sheet(round_)
    except (OSError, ValueError) as error:
        _fail(str(error))
    typer.echo(f"{round_ / 'sheet.txt'}: {agreed} spans agreed, {differences} differences")


@annotate_app.command("merge")
def annotate_merge(
    round_: Annotated[Path, typer.Argument(metavar="ROUND", help="The round's folder.")],
    corpus: Corpus = Path("corpus"),
) -> None:
    """Merge annotations and decisions into source files of the corpus."""
    from forewarn.annotation.rounds import merge_round

    try:
        n = merge_round(round_, corpus / "source")
    except (OSError, ValueError) as error:
        _fail(str(error))
    typer.echo(f"{n} documents written to {corpus / 'source'}")


@annotate_app.command("config")
def annotate_config(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this .xml file.")
    ] = None,
) -> None:
    """Print the labelling interface for Label Studio, generated from the scheme."""
    from forewarn.annotation.interface import label_config

    if output is None:
        typer.echo(label_config(), nl=False)
        return
    try:
        output.write_text(label_config(), encoding="utf-8")
    except OSError as error:
        _fail(str(error))


@annotate_app.command("agreement")
def annotate_agreement(
    corpus: Corpus = Path("corpus"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this .md file.")
    ] = None,
    gamma: Annotated[bool, typer.Option(help="Compute gamma too (needs the extra).")] = True,
    documents: Annotated[
        Path | None, typer.Option(help="A folder of pulled documents, instead of the corpus.")
    ] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="Add a line for each pair.")] = False,
) -> None:
    """Report how far the two annotators of every document agree, and each pair of annotators."""
    from forewarn.annotation.agreement import agreement
    from forewarn.annotation.agreement_report import format_agreement
    from forewarn.annotation.layers import pair_documents, read_documents
    from forewarn.annotation.pairs import agreement_by_pair, format_pairs

    try:
        annotated = read_documents(documents or corpus / "source")
        paired = pair_documents(annotated)
        if left := len(annotated) - len(paired):
            typer.echo(f"{left} documents with fewer than two annotations left out", err=True)
        report = format_agreement(agreement(paired, gamma=gamma))
        if pairs:
            report += "\n" + format_pairs(agreement_by_pair(annotated, gamma=gamma))
        if output is not None:
            output.write_text(report, encoding="utf-8")
    except (OSError, ValueError, ImportError) as error:
        _fail(str(error))
    if output is None:
        typer.echo(report)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit(OK)


def main() -> None:
    """Run the command."""
    app()


def _output_folder(output: Path | None, kind: str | None, engine: Engine) -> Path | None:
    if output is not None and (kind is not None or engine is Engine.RAY or not output.suffix):
        return output
    if kind is not None or engine is Engine.RAY:
        _fail("--format and --engine ray need a folder: give one with --output")
    return None


def _interrupted(folder: Path | None) -> str:
    if folder is None:
        return "interrupted; nothing was written"
    return f"interrupted; finished shards are in {folder}: run the same command again to go on"


def _check_encoding(name: str) -> None:
    import codecs

    try:
        codecs.lookup("utf-8" if name == "auto" else name)
    except LookupError as error:
        raise OSError(f"{error}; give a Python name such as cp1252, or auto") from error


def _shard_kind(kind: str | None) -> str:
    from forewarn.outputs import SHARD_KINDS

    kind = f".{(kind or 'jsonl').removeprefix('.')}"
    if kind not in SHARD_KINDS:
        _fail(f"--format {kind}: shards can be {', '.join(SHARD_KINDS)}")
    return kind


def _score_into_file(
    files: list[str],
    output: Path | None,
    options: "WorkerOptions",
    read: "ReadOptions",
    quiet: bool,
    highlight: bool,
) -> int:
    from contextlib import closing

    from forewarn.model.predictor import Predictor
    from forewarn.outputs import open_output

    opened = (
        nullcontext(None)
        if output is None
        else open_output(output, flat=options.flat, meta=bool(read.carried))
    )
    with opened as writer:
        predictor = Predictor.load(options.model, threshold=options.threshold, gate=options.gate)
        with closing(_stream(files, quiet or output is None, read)) as documents:
            if writer is None:
                counts = _print_scores(predictor, documents, highlight, options)
            else:
                counts = _write_scores(predictor, documents, writer, options)
    if not quiet and (output is not None or counts["failed"]):
        typer.echo(
            f"{counts['scored']} scored, {counts['flagged']} with spans, {counts['failed']} failed"
            + (f"; written to {output}" if output else ""),
            err=True,
        )
    return counts["failed"]


def _score_into_folder(
    files: list[str],
    folder: Path,
    options: "WorkerOptions",
    read: "ReadOptions",
    kind: str | None,
    processes: int | None,
    shard_documents: int,
    restart: bool,
    quiet: bool,
) -> int:
    import os
    import time

    from forewarn.batch import BatchOptions, score_batch
    from forewarn.terminal import describe_batch

    shard_kind = _shard_kind(kind)
    settings = BatchOptions(
        options,
        read,
        shard_kind,
        shard_kind if options.flat else None,
        shard_documents,
        processes or os.cpu_count() or 1,
        restart,
    )
    started = time.monotonic()
    with _batch_progress(files, quiet) as progress:
        result = score_batch(files, folder, settings, progress)
    if not quiet:
        typer.echo(describe_batch(result, folder, time.monotonic() - started), err=True)
    if result.stopped_by is not None:
        raise typer.Exit(128 + result.stopped_by)
    return result.counts.n_failed


def _score_on_ray(
    files: list[str],
    folder: Path,
    options: "WorkerOptions",
    read: "ReadOptions",
    kind: str | None,
    processes: int | None,
    address: str | None,
) -> int:
    from forewarn.distributed import score_with_ray

    counts = score_with_ray(
        files,
        folder,
        options,
        read=read,
        kind=_shard_kind(kind or "parquet"),
        n_actors=processes,
        address=address,
    )
    typer.echo(
        f"{counts['n_documents']} documents, {counts['n_flagged']} with spans, "
        f"{counts['n_failed']} failed; written to {folder}",
        err=True,
    )
    return counts["n_failed"]


def _batch_progress(files: list[str], quiet: bool) -> Any:
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    from forewarn.documents import count_bytes

    @contextmanager
    def show() -> Iterator[Any]:
        import time

        console = Console(stderr=True)
        columns = ("{task.description}", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        started = time.monotonic()
        silent = quiet or not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=silent) as progress:
            task = progress.add_task("starting", total=count_bytes(files))

            def tell(done: Any, n_bytes: int) -> None:
                rate = done.n_words / max(0.001, time.monotonic() - started)
                line = f"{done.n_documents} documents, {rate:,.0f} words/s"
                progress.update(task, completed=n_bytes, description=line)

            yield tell

    return show()


def _write_scores(
    predictor: "Predictor",
    documents: Iterable["Document | BrokenDocument"],
    writer: Any,
    options: "WorkerOptions",
) -> dict[str, int]:
    from forewarn.flat import flatten
    from forewarn.scoring import refuse_repeated, score_documents

    counts = {"scored": 0, "flagged": 0, "failed": 0}
    for document in refuse_repeated(documents, set()):
        [record] = score_documents(predictor, [document])
        _count(record, counts)
        text = getattr(document, "text", "")
        rows = flatten(record, text, options.date_column) if options.flat else [record]
        for row in rows:
            writer.write(row)
    return counts


def _print_scores(
    predictor: "Predictor",
    documents: Iterator["Document | BrokenDocument"],
    highlight: bool,
    options: "WorkerOptions",
) -> dict[str, int]:
    from itertools import chain, islice

    from rich.console import Console

    from forewarn.flat import flatten
    from forewarn.jsonl import dumps
    from forewarn.scoring import score_documents

    counts = {"scored": 0, "flagged": 0, "failed": 0}
    console = Console()
    first = list(islice(documents, 2))
    pretty = highlight or (console.is_terminal and len(first) == 1)
    texts: dict[str, str] = {}

    def remember() -> Iterator["Document | BrokenDocument"]:
        for document in chain(first, documents):
            texts.clear()
            texts[document.id] = getattr(document, "text", "")
            yield document

    for record in score_documents(predictor, remember()):
        _count(record, counts)
        if record["error"] is not None and (pretty or console.is_terminal):
            typer.echo(record["error"], err=True)
        elif options.flat:
            for row in flatten(record, texts[record["id"]], options.date_column):
                typer.echo(dumps(row))
        elif pretty:
            _print_pretty(console, record, texts[record["id"]])
        elif console.is_terminal:
            found = ", ".join(sorted({span["label"] for span in record["spans"]})) or "nothing"
            typer.echo(
                f"{record['id']}: mention {record['mention']:.2f}, use {record['use']:.2f}: {found}"
            )
        else:
            typer.echo(dumps(record))
    return counts


def _print_pretty(console: "Console", record: dict[str, Any], text: str) -> None:
    from forewarn.terminal import render_record

    console.print(render_record(record, text))


def _count(record: dict[str, Any], counts: dict[str, int]) -> None:
    counts["failed" if record["error"] is not None else "scored"] += 1
    counts["flagged"] += bool(record["spans"])


def _stream(
    files: list[str], silent: bool, read: "ReadOptions"
) -> Generator["Document | BrokenDocument", None, None]:
    from contextlib import ExitStack
    from functools import partial

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    from forewarn.documents import count_bytes, stream_documents

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task("scoring", total=count_bytes(files))
    advance = partial(progress.advance, task)
    with ExitStack() as shown:
        for n, document in enumerate(stream_documents(files, advance, read)):
            if n == 1 and console.is_terminal and not silent:
                shown.enter_context(progress)
            progress.update(task, description=f"document {n + 1}")
            yield document


def _step_progress() -> Any:
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    @contextmanager
    def show() -> Iterator[Any]:
        console = Console(stderr=True)
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("preparing", total=None)

            def tell(done: int, total: int, line: str) -> None:
                progress.update(task, completed=done, total=total, description=line)
                if "validation" in line:
                    progress.console.print(line)

            yield tell

    return show()


def _fail(message: str, status: int = CANNOT) -> NoReturn:
    typer.echo(f"forewarn: {message}", err=True)
    raise typer.Exit(status)
