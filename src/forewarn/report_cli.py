"""The commands that show what was found: the report page and the table of statements."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from forewarn.records import Document

CANNOT = 2

Predictions = Annotated[
    Path,
    typer.Argument(
        help="What 'forewarn score' wrote: .jsonl(.gz, .zst), .parquet, or a folder of shards."
    ),
]
Documents = Annotated[
    list[str] | None,
    typer.Option(
        "--documents",
        "-d",
        help="The input that was scored, for texts, sentences, dates and sources; more than once "
        "if it was several files.",
    ),
]
TextColumn = Annotated[str, typer.Option(help="The field of --documents that was scored.")]
IdColumn = Annotated[str, typer.Option(help="The field of --documents that is their id.")]
Encoding = Annotated[str, typer.Option(help="Encoding of --documents, as it was for score.")]
DateColumn = Annotated[str, typer.Option(help="The field that says when.")]
PlaceColumn = Annotated[str, typer.Option(help="The field that says where.")]
SourceColumn = Annotated[str, typer.Option(help="The field that says who published it.")]


def register(app: typer.Typer) -> None:
    """Add the commands.

    :param app: the command ``forewarn``.
    """
    app.command("report")(report)
    app.command("statements")(statements)


def report(
    predictions: Predictions,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page, a file that ends in .html.")
    ] = Path("report.html"),
    documents: Documents = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "id",
    encoding: Encoding = "utf-8",
    date_column: DateColumn = "date",
    place_column: PlaceColumn = "place",
    source_column: SourceColumn = "source",
) -> None:
    """Make one page to look at what was found; it opens in a browser and asks for nothing.

    Without --documents it shows statements but no texts.
    """
    from forewarn.report.data import page_data
    from forewarn.report.page import render_page, write_page
    from forewarn.statements import MetaColumns

    columns = MetaColumns(date_column, place_column, source_column)
    try:
        records, found = _read(predictions, documents, text_column, id_column, encoding)
        size = write_page(output, render_page(page_data(records, found, columns)))
    except (OSError, ValueError) as error:
        _fail(str(error))
    typer.echo(
        f"{len(records)} documents, {_n_spans(records)} statements; written to {output} "
        f"({size / 1e6:.1f} MB)",
        err=True,
    )


def statements(
    predictions: Predictions,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The table: .csv, .xlsx or .parquet.")
    ] = Path("statements.csv"),
    grouped: Annotated[
        bool, typer.Option("--grouped", help="One row a statement, not one a span.")
    ] = False,
    documents: Documents = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "id",
    encoding: Encoding = "utf-8",
    date_column: DateColumn = "date",
    place_column: PlaceColumn = "place",
    source_column: SourceColumn = "source",
) -> None:
    """Write who said what about whom, one row a span; near-identical statements share a number.

    Sentences come from --documents, or from predictions written with --flat.
    """
    from forewarn.spreadsheets import write_table
    from forewarn.statements import (
        COLUMNS,
        GROUPED_COLUMNS,
        MetaColumns,
        group_rows,
        list_statements,
    )

    columns = MetaColumns(date_column, place_column, source_column)
    try:
        records, found = _read(
            predictions, documents, text_column, id_column, encoding, flat=not documents
        )
        rows = list_statements(records, found, columns)
        table = list(group_rows(rows)) if grouped else rows
        n_cut = write_table(output, GROUPED_COLUMNS if grouped else COLUMNS, table)
    except (OSError, ValueError) as error:
        _fail(str(error))
    if n_cut:
        typer.echo(f"{n_cut} cells cut: .xlsx holds no longer ones; .parquet does", err=True)
    n_failed = sum(record["error"] is not None for record in records)
    if n_failed:
        typer.echo(f"{n_failed} documents were not scored and give no row", err=True)
    n = len({row["statement"] for row in rows})
    typer.echo(f"{len(rows)} spans, {n} statements; written to {output}", err=True)


def _read(
    predictions: Path,
    inputs: list[str] | None,
    text_column: str,
    id_column: str,
    encoding: str,
    *,
    flat: bool = False,
) -> tuple[list[dict[str, Any]], "Mapping[str, Document]"]:
    from forewarn.documents import list_files, stream_documents
    from forewarn.scored import find_documents, read_predictions
    from forewarn.sources import EVERYTHING, ReadOptions

    if not predictions.exists():
        raise ValueError(f"{predictions}: no such file or folder")
    records = read_predictions(predictions, flat=flat)
    if not inputs:
        return records, {}
    options = ReadOptions(text_column, id_column, (EVERYTHING,), encoding)
    found = find_documents(records, stream_documents(list_files(inputs), options=options))
    n_scored = sum(record["error"] is None for record in records)
    if records and n_scored and not found:
        raise ValueError(
            f"none of the {n_scored} scored documents is in --documents (ids must be the same; "
            f"first {records[0]['id']!r}); give the input that was scored, by the same path"
        )
    if n_scored > len(found):
        typer.echo(f"{n_scored - len(found)} scored documents are not in --documents", err=True)
    return records, found


def _n_spans(records: list[dict[str, Any]]) -> int:
    return sum(len(record["spans"]) for record in records)


def _fail(message: str) -> NoReturn:
    typer.echo(f"forewarn: {message}", err=True)
    raise typer.Exit(CANNOT)
