"""The commands that work with Label Studio and with other tools' files."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from forewarn.annotation.client import Studio
    from forewarn.annotation.layers import AnnotatedDocument
    from forewarn.annotation.push import PushReport
    from forewarn.annotation.selection import Selected
    from forewarn.model.predictor import Predictor

OK, SOME_FAILED, CANNOT = 0, 1, 2
PROJECT = "Forewarn"

Title = Annotated[str, typer.Option("--project", help="The project's title.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", help="The server; else LABEL_STUDIO_URL, else the one that 'start' started last."
    ),
]
Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of the local server and its database.")
]
Guidelines = Annotated[
    Path, typer.Option("--guidelines", help="The guidelines, shown in the interface.")
]
Names = Annotated[
    Path | None,
    typer.Option("--names", help='JSON that names annotators: {"ana@example.org": "annotator-1"}.'),
]
Model = Annotated[
    str | None, typer.Option("--model", help="A model's folder, or the name of an installed one.")
]
Predict = Annotated[bool, typer.Option(help="Suggest the model's spans.")]


def register(annotate: typer.Typer, corpus: typer.Typer) -> None:
    """Add the commands to the groups that they belong to.

    :param annotate: the group ``forewarn annotate``.
    :param corpus: the group ``forewarn corpus``.
    """
    for name, command in (
        ("start", annotate_start),
        ("push", annotate_push),
        ("pull", annotate_pull),
        ("status", annotate_status),
        ("serve", annotate_serve),
        ("differences", annotate_differences),
        ("adjudicate", annotate_adjudicate),
        ("select", annotate_select),
        ("export", annotate_export),
        ("import", annotate_import),
    ):
        annotate.command(name)(command)
    corpus.command("import")(corpus_import)


def annotate_start(
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="[DOCUMENTS]...", help="What to annotate.")
    ] = None,
    project: Title = PROJECT,
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="The port; else a free one.")] = None,
    model: Model = None,
    predictions: Predict = True,
    guidelines: Guidelines = Path("annotation/guidelines.md"),
) -> None:
    """Install (once) and start a local Label Studio, and push documents with suggestions.

    It listens on this computer only and sends nothing anywhere. Ctrl-C ends it; all work is kept.
    """
    import signal

    from forewarn.annotation import server as local
    from forewarn.annotation.client import Studio

    for ending in (signal.SIGINT, signal.SIGTERM):  # either must end the server too
        signal.signal(ending, signal.default_int_handler)
    with _refusing():
        running = local.start(home or local.default_home(), port=port, say=_say)
        try:
            studio = Studio(running.url, running.login.token)
            report = _push(studio, project, documents or [], model, predictions, guidelines)
            _tell_push(report)
            typer.echo(f"\nopen       {running.url}/projects/{studio.project(project)}/")
            typer.echo(f"e-mail     {running.login.email}\npassword   {running.login.password}")
            typer.echo("\nwhen you have annotated: forewarn annotate pull annotation/pulled")
            typer.echo("Ctrl-C ends the server")
            sys.stdout.flush()
            running.process.wait()
        except KeyboardInterrupt:
            _say("stopping")
        finally:
            running.stop()


def annotate_push(
    documents: Annotated[
        list[str],
        typer.Argument(
            metavar="DOCUMENTS...",
            help="Whatever 'forewarn score' reads, or folders of source files (.json).",
        ),
    ],
    project: Title = PROJECT,
    url: Url = None,
    home: Home = None,
    model: Model = None,
    predictions: Predict = True,
    annotations: Annotated[
        bool, typer.Option("--annotations", help="Push the annotations of source files too.")
    ] = False,
    names: Names = None,
    guidelines: Guidelines = Path("annotation/guidelines.md"),
) -> None:
    """Push documents with the model's suggestions; what is there already is not pushed again.

    Exit status: 0 all well, 1 some documents were refused, 2 nothing could be done.
    """
    with _refusing():
        studio = _connect(url, home)
        people = _people(studio, names) if annotations else None
        report = _push(studio, project, documents, model, predictions, guidelines, people)
    _tell_push(report)
    raise typer.Exit(SOME_FAILED if report.problems else OK)


def annotate_pull(
    folder: Annotated[Path, typer.Argument(help="Folder of the pulled documents.")],
    project: Title = PROJECT,
    url: Url = None,
    home: Home = None,
    names: Names = None,
) -> None:
    """Pull every annotator's work into files of the source format.

    Exit status: 0 all well, 1 something was kept aside or could not be written, 2 nothing done.
    """
    from forewarn.annotation.pull import pull

    with _refusing():
        studio = _connect(url, home)
        report = pull(studio, studio.project(project), folder, names=_read_names(names))
    for title, lines in (
        ("kept aside (in the files, under 'aside')", report.aside),
        ("gone from the server", report.gone),
        ("not pulled", report.problems),
    ):
        for line in lines:
            typer.echo(f"{title}: {line}", err=True)
    typer.echo(
        f"{report.annotations} annotations of {report.documents} documents; {report.written} files "
        f"written to {folder}; {report.skipped} skipped, {report.drafts} drafts, "
        f"{len(report.aside)} items aside"
    )
    raise typer.Exit(SOME_FAILED if report.aside or report.problems else OK)


def annotate_status(project: Title = PROJECT, url: Url = None, home: Home = None) -> None:
    """Show how far a project is: tasks, annotations by person, suggestions, the ML backend."""
    from collections import Counter

    with _refusing():
        studio = _connect(url, home)
        id_ = studio.project(project)
        tasks, people = studio.tasks(id_), studio.users()
        backends = studio.backends(id_)
    done = [a for task in tasks for a in task.annotations if not a.get("was_cancelled")]
    skipped = sum(len(task.annotations) for task in tasks) - len(done)
    by_person = Counter(people.get(a["completed_by"], "unknown") for a in done)
    by_model = Counter(p["model_version"] for task in tasks for p in task.predictions)
    typer.echo(f"{studio.url} (Label Studio {studio.version()}), project {project!r}")
    typer.echo(f"{len(tasks)} documents, {sum(bool(t.annotations) for t in tasks)} with work")
    typer.echo(
        f"{len(done)} annotations, {skipped} skipped, {sum(t.n_drafts for t in tasks)} drafts"
    )
    for kind, counts in (("annotations", by_person), ("suggestions", by_model)):
        for name, n in sorted(counts.items()):
            typer.echo(f"  {n:6} {kind} by {name}")
    for backend in backends:
        state = "connected" if backend["state"] == "CO" else "DOWN: start 'forewarn annotate serve'"
        typer.echo(f"ML backend {backend['url']}: {state}")


def annotate_serve(
    model: Model = None,
    port: Annotated[int, typer.Option(help="The port.")] = 9090,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    project: Title = PROJECT,
    url: Url = None,
    home: Home = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="Enter this backend in the project's settings.")
    ] = False,
    user: Annotated[
        str, typer.Option(help="Ask for this user, with the password in FOREWARN_PASSWORD.")
    ] = "",
    retrain: Annotated[
        Path | None,
        typer.Option(help="A training configuration: train again, as the server or --every asks."),
    ] = None,
    every: Annotated[int, typer.Option(min=0, help="Train after so many annotations.")] = 0,
    corpus: Annotated[Path, typer.Option(help="The corpus folder, built.")] = Path("corpus"),
    models: Annotated[Path, typer.Option(help="Where new models are saved.")] = Path("models"),
    encoder: Annotated[
        str | None, typer.Option(help="A local folder of a Hugging Face encoder.")
    ] = None,
) -> None:
    """Serve the model as an ML backend of Label Studio; train it again in the background."""
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with _refusing():
        import uvicorn

        from forewarn.annotation.backend import CountsAnnotations, Desk, make_app
        from forewarn.annotation.retraining import Trainer
        from forewarn.model.predictor import Predictor

        login = None
        if user:
            password = os.environ.get("FOREWARN_PASSWORD")
            if not password:
                raise ValueError("--user needs a password in FOREWARN_PASSWORD")
            login = (user, password)
        predictor = Predictor.load(model)
        desk, trainer = Desk(predictor), CountsAnnotations()
        if retrain is not None:
            _connect(url, home)  # to fail now, not when the first training starts
            trainer = Trainer(
                predictor,
                desk.switch,
                lambda: _pulled(project, url, home),
                *(corpus, retrain, models, every),
                options=("--encoder", encoder) if encoder else (),
            )
        app = make_app(desk, trainer, login=login)
        if connect:
            _connect_when_up(project, url, home, f"http://{host}:{port}", login)
        typer.echo(f"{predictor.name} on http://{host}:{port}; Ctrl-C ends it", err=True)
        # The access log is off: some servers put tokens into addresses.
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)


Pair = Annotated[
    str | None, typer.Option("--pair", help="The names of two annotators, with a comma between.")
]
Pulled = Annotated[Path, typer.Argument(metavar="FOLDER", help="Pulled documents.")]


def annotate_differences(
    folder: Pulled,
    pair: Pair = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
) -> None:
    """List what two annotators read differently, what matters most first."""
    from forewarn.annotation.differences import format_differences, weigh_differences
    from forewarn.annotation.layers import pair_documents, read_documents

    with _refusing():
        names = _split_pair(pair)
        weighed = weigh_differences(pair_documents(read_documents(folder), names))
        text = format_differences(weighed, names or ("A", "B"))
        if output is not None:
            output.write_text(text, encoding="utf-8")
    if output is None:
        typer.echo(text, nl=False)
    typer.echo(f"{len(weighed)} differences", err=True)


def annotate_adjudicate(
    folder: Pulled,
    rule: Annotated[
        str | None, typer.Option(help="Settle by a rule: agreed, either, confident or first.")
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Take the adjudicator's work from Label Studio.")
    ] = False,
    pair: Pair = None,
    project: Annotated[
        str, typer.Option(help="The adjudication's own project.")
    ] = f"{PROJECT}: adjudication",
    url: Url = None,
    home: Home = None,
    names: Names = None,
    guidelines: Guidelines = Path("annotation/guidelines.md"),
) -> None:
    """Settle differences: in Label Studio, both versions side by side, or by a rule.

    Without --rule, the documents on which annotators differ are pushed to a project of their own;
    when the adjudicator has submitted them, --fetch writes the gold into the folder's files.
    """
    from forewarn.annotation.layers import read_documents, write_document

    with _refusing():
        documents, names_of_pair = read_documents(folder), _split_pair(pair)
        if rule is not None:
            settled, problems = _by_rule(documents, rule, names_of_pair)
        elif fetch:
            settled, problems = _fetch_gold(documents, names_of_pair, project, url, home, names)
        else:
            _push_differences(documents, names_of_pair, project, url, home, guidelines)
            return
        for document in settled:
            write_document(folder, document)
    for problem in problems:
        typer.echo(f"not settled: {problem}", err=True)
    typer.echo(f"gold of {len(settled)} documents written to {folder}")
    raise typer.Exit(SOME_FAILED if problems else OK)


def annotate_select(
    pool: Annotated[
        list[str], typer.Argument(metavar="POOL...", help="Whatever 'forewarn score' reads.")
    ],
    n: Annotated[int, typer.Option("--number", "-n", min=1, help="How many documents.")] = 50,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A .jsonl file, which 'push' reads.")
    ] = Path("selected.jsonl"),
    known: Annotated[
        Path | None, typer.Option(help="What is annotated: a folder of source or pulled files.")
    ] = None,
    model: Model = None,
    random_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share drawn at random, to measure on.")
    ] = 0.2,
    seed: int = 0,
) -> None:
    """Choose the next documents to annotate: unsure, disputed, unlike the known; some at random."""
    from forewarn.annotation.layers import read_documents
    from forewarn.annotation.selection import LOW_THRESHOLD
    from forewarn.jsonl import write_jsonl
    from forewarn.model.predictor import Predictor

    broken: list[str] = []
    with _refusing():
        annotated = read_documents(known) if known is not None else []
        done = {document.id for document in annotated}
        documents = [d for d in _read_inputs(pool, broken) if d.id not in done]
        if not documents:
            raise ValueError("the pool holds no documents that are not annotated already")
        predictor = Predictor.load(model, threshold=LOW_THRESHOLD)
        chosen = _select(documents, annotated, predictor, n, random_share, seed)
        rows = [
            {"id": documents[s.index].id, "text": documents[s.index].text, **s.to_dict()}
            for s in chosen
        ]
        write_jsonl(output, rows)
    for problem in broken:
        typer.echo(f"left out: {problem}", err=True)
    at_random = sum(s.how == "random" for s in chosen)
    typer.echo(f"{len(rows)} of {len(documents)} documents, {at_random} at random: {output}")
    raise typer.Exit(SOME_FAILED if broken else OK)


def _select(
    documents: "list[AnnotatedDocument]",
    annotated: "list[AnnotatedDocument]",
    predictor: "Predictor",
    n: int,
    random_share: float,
    seed: int,
) -> "list[Selected]":
    import numpy as np

    from forewarn import labels
    from forewarn.annotation.selection import second_opinion, select, uncertainty, vectorise

    predictions = []
    with _progress("scoring") as progress:
        for document in documents:
            predictions.append(predictor.predict_one(document.text))
            progress(len(predictions), len(documents))
    vectors, known = vectorise([d.text for d in documents], [d.text for d in annotated])
    marked = [
        any(s.label in labels.RHETORIC for layer in d.layers for s in layer.annotation.spans)
        for d in annotated
    ]
    second = second_opinion(vectors, known, marked)
    mention = np.array([p.mention for p in predictions])
    return select(
        n,
        unsure=np.array([uncertainty(p) for p in predictions]),
        disputed=np.zeros(len(documents)) if second is None else np.abs(second - mention),
        pool=vectors,
        known=known,
        random_share=random_share,
        seed=seed,
    )


Format = Annotated[
    str, typer.Option("--format", "-f", help="label-studio, brat, webanno, docbin or conll.")
]


def annotate_export(
    folder: Pulled,
    output: Annotated[Path, typer.Argument(help="The folder to write.")],
    format_: Format,
) -> None:
    """Write annotated documents in another tool's format, and say what it cannot hold."""
    from forewarn.annotation.layers import read_documents
    from forewarn.formats.convert import export_documents

    with _refusing():
        n, loss = export_documents(read_documents(folder), output, format_)
    for line in loss.lines():
        typer.echo(line, err=True)
    typer.echo(f"{n} layers written to {output}")


def annotate_import(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of another tool.")],
    format_: Format,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of documents in the source format.")
    ],
    annotator: Annotated[
        str, typer.Option(help="Whose annotations these are, if the files do not say.")
    ] = "imported",
) -> None:
    """Read another tool's annotations into documents of the source format.

    Exit status: 0 all well, 1 something could not be proved and was kept aside, 2 nothing done.
    """
    from forewarn.formats.convert import import_documents

    with _refusing():
        n, loss = import_documents(paths, output, format_, annotator)
    for line in loss.lines():
        typer.echo(line, err=True)
    typer.echo(f"{n} layers written to {output}")
    raise typer.Exit(SOME_FAILED if loss.problems else OK)


def corpus_import(
    kind: Annotated[str, typer.Argument(help="ptc, hatecheck or hatexplain.")],
    path: Annotated[Path, typer.Argument(help="Your own copy of it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .jsonl file to write.")],
) -> None:
    """Turn a public corpus into records that 'forewarn score' reads, with its own labels."""
    from forewarn.corpus.imports import READERS
    from forewarn.jsonl import write_jsonl

    with _refusing():
        if kind not in READERS:
            raise ValueError(f"no corpus {kind!r}; known are {', '.join(READERS)}")
        n = write_jsonl(output, READERS[kind](path))
    typer.echo(f"{n} records written to {output}")


def _by_rule(
    documents: "list[AnnotatedDocument]", rule: str, pair: tuple[str, str] | None
) -> "tuple[list[AnnotatedDocument], list[str]]":
    from forewarn.annotation.gold import RULES, adjudicate_by_rule

    if rule not in RULES:
        raise ValueError(f"no rule {rule!r}; known are {', '.join(RULES)}")
    settled, problems = [], []
    for document in documents:
        done, wrong = adjudicate_by_rule(document, rule, pair=pair)
        problems += wrong
        if not wrong:
            settled.append(done)
    return settled, problems


def _fetch_gold(
    documents: "list[AnnotatedDocument]",
    pair: tuple[str, str] | None,
    project: str,
    url: str | None,
    home: Path | None,
    names: Path | None,
) -> "tuple[list[AnnotatedDocument], list[str]]":
    from forewarn.annotation.gold import adjudicate_by_rule, adjudicated, order_documents

    differing = {document.id for document in order_documents(documents, pair)}
    work = {d.id: d for d in _pulled(project, url, home, _read_names(names))}
    settled, problems = [], []
    for document in documents:
        if document.id not in differing:  # both read it alike: the rule has nothing to decide
            done, wrong = adjudicate_by_rule(document, "agreed", pair=pair)
        elif document.id not in work:
            done, wrong = document, [f"document {document.id!r}: nothing submitted yet"]
        else:
            layer = work[document.id].layers[-1]
            wrong = [f"document {document.id!r}: {aside.reason}" for aside in layer.aside]
            done = document if wrong else adjudicated(document, layer, pair=pair)
        problems += wrong
        if not wrong:
            settled.append(done)
    return settled, problems


def _push_differences(
    documents: "list[AnnotatedDocument]",
    pair: tuple[str, str] | None,
    project: str,
    url: str | None,
    home: Path | None,
    guidelines: Path,
) -> None:
    from forewarn.annotation.gold import order_documents, suggest_layers
    from forewarn.annotation.instructions import read_instructions
    from forewarn.annotation.push import push

    studio = _connect(url, home)
    differing = order_documents(documents, pair)
    html, version = read_instructions(guidelines)
    id_ = studio.make_project(project, instructions=html, n_annotators=1)
    report = push(studio, id_, differing, guidelines=version, suggestions=suggest_layers)
    _tell_push(report)
    typer.echo(f"adjudicate at {studio.url}/projects/{id_}/, then add --fetch to this command")
    raise typer.Exit(SOME_FAILED if report.problems else OK)


def _split_pair(pair: str | None) -> tuple[str, str] | None:
    if pair is None:
        return None
    a, _, b = (part.strip() for part in pair.partition(","))
    if not a or not b:
        raise ValueError(f"--pair {pair!r}: expected two names with a comma between")
    return a, b


def _pulled(
    project: str, url: str | None, home: Path | None, names: dict[str, str] | None = None
) -> "list[AnnotatedDocument]":
    import tempfile

    from forewarn.annotation.layers import read_documents
    from forewarn.annotation.pull import pull

    studio = _connect(url, home)
    with tempfile.TemporaryDirectory() as folder:
        if not pull(studio, studio.project(project), Path(folder), names=names).documents:
            return []
        return read_documents(Path(folder))


def _connect_when_up(
    project: str, url: str | None, home: Path | None, address: str, login: tuple[str, str] | None
) -> None:
    """Enter the backend in the project's settings, which asks it whether it is up."""
    import threading

    from forewarn.annotation.client import StudioError

    studio = _connect(url, home)
    id_ = studio.project(project)

    def connect() -> None:
        time.sleep(2)
        try:
            if address not in [backend["url"] for backend in studio.backends(id_)]:
                studio.add_backend(id_, address, login)
            _say(f"connected to the project {project!r}")
        except StudioError as error:
            _say(f"not connected: {error}")

    threading.Thread(target=connect, daemon=True).start()


def _push(
    studio: "Studio",
    project: str,
    inputs: Iterable[str],
    model: str | None,
    predictions: bool,
    guidelines: Path,
    people: dict[str, int] | None = None,
) -> "PushReport":
    from forewarn.annotation.instructions import read_instructions
    from forewarn.annotation.push import Suggestion, push, suggest

    broken: list[str] = []
    documents = list(_read_inputs(inputs, broken))
    html, version = read_instructions(guidelines)
    id_ = studio.make_project(project, instructions=html)
    suggestions: Callable[[AnnotatedDocument], list[Suggestion]] = lambda _: []  # noqa: E731
    if predictions and documents:
        from forewarn.model.predictor import Predictor

        predictor = Predictor.load(model)

        def suggestions(document: "AnnotatedDocument") -> list[Suggestion]:
            return [suggest(predictor.name, predictor.predict_one, document.text)]

    with _progress("pushing") as progress:
        report = push(
            studio,
            id_,
            documents,
            guidelines=version,
            suggestions=suggestions,
            annotators=people,
            progress=progress,
        )
    if report.added + report.changed and predictions:
        studio.show_model(id_, predictor.name)
    report.problems[:0] = broken
    return report


def _read_inputs(inputs: Iterable[str], broken: list[str]) -> Iterator["AnnotatedDocument"]:
    from forewarn.annotation.layers import AnnotatedDocument, document_from_dict, read_documents
    from forewarn.documents import BrokenDocument, list_files, stream_documents
    from forewarn.jsonl import read_json

    for name in inputs:
        path = Path(name)
        if path.is_dir() and any(path.glob("*.json")):
            yield from read_documents(path)
        elif path.suffix == ".json" and path.is_file():
            yield document_from_dict(read_json(path))
        else:
            for document in stream_documents(list_files([name])):
                if isinstance(document, BrokenDocument):
                    broken.append(document.error)
                else:
                    yield AnnotatedDocument(document.id, document.text, {}, ())


def _tell_push(report: "PushReport") -> None:
    for problem in report.problems:
        typer.echo(f"refused: {problem}", err=True)
    typer.echo(
        f"{report.added} documents added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{len(report.problems)} refused; {report.annotations} annotations pushed"
    )


def _connect(url: str | None, home: Path | None) -> "Studio":
    from forewarn.annotation.client import URL, Studio, StudioError, find_token
    from forewarn.annotation.server import default_home, read_login

    local = read_login(home or default_home())
    url = url or os.environ.get(URL)
    if local is not None and (url is None or url.rstrip("/") == local.url):
        return Studio(local.url, local.token)
    if url is None:
        raise StudioError(
            f"which server? Give --url or set {URL}, or start one with 'forewarn annotate start'"
        )
    return Studio(url, find_token(url))


def _read_names(path: Path | None) -> dict[str, str]:
    from forewarn.jsonl import read_json

    if path is None:
        return {}
    names = read_json(path)
    if not isinstance(names, dict) or not all(isinstance(v, str) for v in names.values()):
        raise ValueError(f'{path}: expected {{"e-mail": "name", ...}}')
    return names


def _people(studio: "Studio", names: Path | None) -> dict[str, int]:
    by_email = _read_names(names)
    return {by_email.get(email, email): id_ for id_, email in studio.users().items()}


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn whatever the pieces refuse into one line and exit status 2."""
    from forewarn.annotation.client import StudioError

    try:
        yield
    except (StudioError, OSError, ValueError, ImportError) as error:
        _fail(str(error))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], object]]:
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        if sys.stderr.isatty() and (done == total or time.monotonic() - last > 1):
            last = time.monotonic()
            typer.echo(f"\r{what}: {done} of {total}", nl=done == total, err=True)

    yield show


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _fail(message: str, status: int = CANNOT) -> NoReturn:
    typer.echo(f"forewarn: {message}", err=True)
    raise typer.Exit(status)
