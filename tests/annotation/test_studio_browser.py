"""A researcher's round in a real Chromium: log in, look, change, add, link, submit; then pull."""

import os
import shutil
from pathlib import Path

import pytest

from forewarn.annotation.instructions import read_instructions
from forewarn.annotation.layers import AnnotatedDocument, read_documents
from forewarn.annotation.pull import pull
from forewarn.annotation.push import push, suggest
from forewarn.model.predictor import Predictor
from forewarn.records import Relation

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "examples" / "ministry-statement.txt").read_text()
NEW = "came to our city to burn it"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PLACE = """words => {
  const walker = document.createTreeWalker(
    document.querySelector('.lsf-htx-richtext'), NodeFilter.SHOW_TEXT);
  const nodes = [];
  let all = '';
  while (walker.nextNode()) {
    nodes.push([walker.currentNode, all.length]);
    all += walker.currentNode.data;
  }
  const box = n => {
    const [node, start] = nodes.filter(x => x[1] <= n).pop();
    const range = document.createRange();
    range.setStart(node, n - start);
    range.setEnd(node, n - start + 1);
    return range.getBoundingClientRect();
  };
  const start = all.indexOf(words);
  const a = box(start), b = box(start + words.length - 1);
  return [a.left + 2, a.top + a.height / 2, b.right - 2, b.top + b.height / 2];
}"""


@pytest.fixture
def page():
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "Chromium is missing; apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.set_default_timeout(180_000)
        yield page
        browser.close()


@pytest.fixture
def shoot(page, tmp_path):
    """Take a screenshot; into the documentation if FOREWARN_SCREENSHOTS names a folder."""
    folder = Path(os.environ.get("FOREWARN_SCREENSHOTS", tmp_path))

    def take(name):
        page.wait_for_timeout(500)
        page.screenshot(path=folder / f"{name}.png")

    return take


def log_in(page, server):
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", server.login.email)
    page.fill("input[name=password]", server.login.password)
    page.click("button[type=submit]", no_wait_after=True)
    page.wait_for_url(lambda url: "login" not in url, wait_until="networkidle")


def open_task(page, server, project, task):
    page.goto(f"{server.url}/projects/{project}/data?task={task}", wait_until="networkidle")
    page.wait_for_selector(".lsf-htx-richtext .htx-highlight")


def choose(page, words):
    page.click(f".fw-region >> text=/^{words}/")


def mark(page, label, words):
    page.click(f".fw-bar >> text=/^{label}/")
    left, top, right, bottom = page.evaluate(PLACE, words)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, bottom, steps=4)
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    page.click(f".htx-highlight >> text=/^{words.split()[0]}/")  # a new span is not selected
    page.wait_for_selector(".fw-region")


def test_a_round_in_the_browser(studio, server, page, shoot, tmp_path):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.partition("://")[2].split("/")[0]))
    html, version = read_instructions(ROOT / "annotation" / "guidelines.md")
    project = studio.make_project("Round", instructions=html)
    predictor = Predictor.load("en_forewarn-0.2.0")
    suggestion = suggest(predictor.name, predictor.predict_one, TEXT)
    push(
        studio,
        project,
        [AnnotatedDocument("ministry", TEXT, {}, ())],
        guidelines=version,
        suggestions=lambda _: [suggestion],
    )
    studio.show_model(project, predictor.name)
    (task,) = studio.tasks(project)
    log_in(page, server)
    shoot("projects")
    open_task(page, server, project, task.id)
    shoot("task")

    page.click("text=Instructions")
    page.wait_for_selector("text=Forewarn annotation guidelines")
    shoot("guidelines")
    page.keyboard.press("Escape")

    page.click(".htx-highlight >> text=/^rats$/")
    page.wait_for_selector(".fw-region >> text=animal")
    choose(page, "condemned")
    shoot("voice")
    page.keyboard.press("Escape")

    mark(page, "VIOLENT_THREAT", NEW)
    assert not page.locator(
        ".fw-region >> text=/^animal/"
    ).is_visible()  # form is not asked for here
    page.click("button:has-text('Submit')")  # the voice is missing: refused
    page.wait_for_selector("text=/Choose the voice/")
    shoot("required")
    page.keyboard.press("Escape")
    if not page.locator(".fw-region").is_visible():
        page.click(".htx-highlight >> text=/^came/")
    choose(page, "quoted")
    page.keyboard.press("Alt+r")
    page.click(".htx-highlight >> text=/^President Oskar Vellin$/")
    page.click("text=/^Relations/")
    row = page.locator(".lsf-relations__item").last
    row.hover()
    row.locator("[aria-label='Show Relation Labels']").click()
    page.locator(".lsf-relation-meta button").last.click()
    page.locator("[role=option]", has_text="spoken_by").click()
    page.keyboard.press("Escape")
    shoot("relation")
    page.click("button:has-text('Submit')")
    page.wait_for_selector("button:has-text('Update')")
    assert hosts == {server.url.partition("://")[2]}  # nothing is sent anywhere else

    report = pull(studio, project, tmp_path / "pulled")
    (document,) = read_documents(tmp_path / "pulled")
    annotation = document.layers[0].annotation
    by_words = {span.text: span for span in annotation.spans}
    assert by_words["rats"].voice == "condemned" and by_words["rats"].form == "animal"
    new = by_words[NEW]
    assert (new.label, new.voice) == ("VIOLENT_THREAT", "quoted")
    assert (new.start_char, new.end_char) == (TEXT.index(NEW), TEXT.index(NEW) + len(NEW))
    suggested = {
        (i["value"]["start"], i["value"]["end"], i["value"]["labels"][0])
        for i in suggestion.items
        if i["type"] == "labels"
    }
    kept = {(s.start_char, s.end_char, s.label) for s in annotation.spans if s is not new}
    assert kept == suggested
    speaker = by_words["President Oskar Vellin"]
    assert Relation("spoken_by", new.id, speaker.id) in annotation.relations
    assert not report.aside + report.problems
