"""Predictions made by hand, the page made by the command, and the system's Chromium."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from forewarn.cli import app

HOSTILE = (
    '</script><script>window.hacked=1</script><!-- <img src=x onerror="window.hacked=2">'
    "\u2028\u2029 & &lt; \" ' {{SCRIPT}} ${window.hacked=3} http://example.com/x.png"
)
TEXTS = {
    "wire-1": (
        'KIRVA - "These rats will be crushed," said President Vellin of the weavers. '
        "The court called the order unlawful."
    ),
    "wire-2": (
        "A speech 🐀🐀 by Marshal Quorrel: shoot the weavers on sight. No one will be charged."
    ),
    "=quiet 'one' \"two\"": "It rained in Kirva.",
    "<b>hostile</b>": HOSTILE + " they are vermin " + HOSTILE,
}
META = {
    "wire-1": {"date": "2024-01-05", "source": "Halden Wire", "place": "Kirva"},
    "wire-2": {"date": "2024-03-09", "source": "<i>Radio</i>", "place": "Tarsk"},
}


def place(text, words):
    start = text.index(words)
    return {"start_char": start, "end_char": start + len(words), "text": words}


def span(text, words, label, score, *, speaker=None, target=None, **more):
    blank = dict.fromkeys(("form", "voice", "voice_score", "responds_to"))
    roles = {
        role: None if named is None else place(text, named)
        for role, named in (("speaker", speaker), ("target", target))
    }
    return {**place(text, words), "label": label, "score": score, **blank, **roles, **more}


def record(id_, spans=(), **more):
    fixed = {"model": "m-1", "taxonomy": "1", "error": None}
    return {"id": id_, "mention": 0.9, "use": 0.6, **fixed, "spans": list(spans), **more}


def records():
    one, two, hostile = TEXTS["wire-1"], TEXTS["wire-2"], TEXTS["<b>hostile</b>"]
    said = {"voice": "quoted", "voice_score": 0.9}
    spoken = {"voice": "asserted", "voice_score": 0.8}
    return [
        record(
            "wire-1",
            [
                span(one, "rats", "DEHUMANISING_LABEL", 0.71, form="animal", **said)
                | {"speaker": place(one, "President Vellin"), "target": place(one, "weavers")},
                span(one, "These rats will be crushed", "VIOLENT_THREAT", 0.92, **said)
                | {"speaker": place(one, "President Vellin")},
                span(one, "unlawful", "CONDEMNATION", 0.55, speaker="court", responds_to=1),
            ],
        ),
        record(
            "wire-2",
            [
                span(two, "shoot the weavers on sight", "LETHAL_FORCE_ORDER", 0.83, **spoken)
                | {"speaker": place(two, "Marshal Quorrel"), "target": place(two, "weavers")},
                span(two, "No one will be charged", "IMPUNITY", 0.35, **spoken),
            ],
        ),
        record("=quiet 'one' \"two\"", mention=0.01, use=0.01),
        record(
            "<b>hostile</b>",
            [
                span(hostile, "they are vermin", "DEHUMANISING_LABEL", 0.6, **spoken)
                | {"speaker": {"start_char": 0, "end_char": 9, "text": HOSTILE[:9]}},
            ],
        ),
        record("broken", mention=None, use=None, error="broken: <script>window.hacked=4</script>"),
    ]


def write_jsonl(path, values):
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


@pytest.fixture(scope="session")
def forewarn():
    def call(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


@pytest.fixture(scope="session")
def scored(tmp_path_factory):
    """The folder that holds predictions and the documents that were scored."""
    folder = tmp_path_factory.mktemp("scored")
    write_jsonl(folder / "predictions.jsonl", records())
    documents = [{"id": id_, "text": text, **META.get(id_, {})} for id_, text in TEXTS.items()]
    write_jsonl(folder / "documents.jsonl", documents)
    return folder


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "these tests need chromium: apt-get install chromium (.ci/run does)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open a page; afterwards nothing was asked for, printed or thrown."""
    requests, messages, pages = [], [], []

    def call(path, **options):
        page = chromium.new_page(**{"viewport": {"width": 1280, "height": 860}, **options})
        page.set_default_timeout(20_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(path.as_uri())
        pages.append((page, path.as_uri()))
        return page

    yield call
    for page, _ in pages:
        assert page.evaluate("window.hacked") is None
        page.close()
    assert messages == []
    assert requests == [url for _, url in pages]


@pytest.fixture(scope="session")
def report(forewarn, scored):
    """The page with its texts."""
    path = scored / "report.html"
    words = ("report", scored / "predictions.jsonl", "--documents", scored / "documents.jsonl")
    result = forewarn(*words, "--output", path)
    assert result.exit_code == 0, result.output
    return path
