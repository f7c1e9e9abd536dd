"""The page in a real browser: what a reader does, by mouse and by keyboard."""

import json

import pytest

AT_LEAST = "input => { input.value = '%s'; input.dispatchEvent(new Event('input')); }"


@pytest.fixture
def page(open_page, report):
    return open_page(report)


def status(page):
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return page.inner_text("#status")


def column(page, n):
    cells = page.locator(f"#rows td:nth-child({n})").all_inner_texts()
    return [cell.split("\n")[0] for cell in cells]


def slide(page, value):
    page.eval_on_selector("#threshold", AT_LEAST % value)


def test_overview_counts(page):
    assert "5 documents · 6 statements · 1 not scored · model m-1" in page.inner_text("#about")
    assert page.locator(".figure b").all_inner_texts() == ["5", "3", "6", "6", "3", "1"]
    titles = page.locator(".chart h2").all_inner_texts()
    assert titles[:4] == ["Over time", "By label", "By voice", "By source"]
    months = [text.split("\n") for text in page.locator(".times button").all_inner_texts()]
    assert months == [["3", "2024-01"], ["0", "2024-02"], ["2", "2024-03"]]
    by_voice = page.locator(".chart", has_text="By voice").locator("button").first.inner_text()
    assert by_voice.split("\n") == ["asserted", "3"]


def test_a_bar_filters_and_again_frees(page):
    bar = page.locator(".chart button", has_text="impunity")
    bar.click()
    assert status(page) == "1 of 6 statements, in 1 document"
    assert page.input_value("#label") == "IMPUNITY"
    page.locator(".chart button", has_text="impunity").click()
    assert status(page).startswith("6 of 6")


@pytest.mark.parametrize(
    ("field", "value", "n"),
    [
        ("query", "weavers SIGHT", 1),
        ("query", "nowhere", 0),
        ("speaker", "vellin", 2),
        ("target", "weav", 2),
        ("period", "2024-03", 2),
    ],
)
def test_text_filters(page, field, value, n):
    page.click("#tab-statements")
    page.fill(f"#{field}", value)
    assert status(page).startswith(f"{n} of 6")
    assert page.locator("#rows td.number").count() == n
    page.click("button[type=reset]")
    assert status(page).startswith("6 of 6")


@pytest.mark.parametrize(
    ("field", "value", "n"),
    [
        ("label", "DEHUMANISING_LABEL", 2),
        ("voice", "quoted", 2),
        ("voice", "none", 1),
        ("source", "<i>Radio</i>", 2),
    ],
)
def test_choices(page, field, value, n):
    page.select_option(f"#{field}", value)
    assert status(page).startswith(f"{n} of 6")


def test_slider_hides_spans_everywhere(page):
    assert page.inner_text("#threshold-value") == "0.35"
    slide(page, "0.8")
    assert status(page) == "2 of 6 statements, in 2 documents"
    page.click("#tab-documents")
    assert page.locator("#document mark").count() == 1
    page.focus("#threshold")
    page.keyboard.press("ArrowRight")
    status(page)
    assert page.inner_text("#threshold-value") == "0.81"
    page.keyboard.press("Home")
    assert status(page).startswith("6 of 6")


def test_sort_by_every_column(page):
    page.click("#tab-statements")
    assert column(page, 1) == ["0.92", "0.83", "0.71", "0.60", "0.55", "0.35"]
    page.click("#heads button:has-text('Score')")
    assert column(page, 1) == ["0.35", "0.55", "0.60", "0.71", "0.83", "0.92"]
    for n, name in ((2, "Label"), (5, "Speaker"), (6, "Target"), (8, "Date")):
        page.click(f"#heads button:has-text('{name}')")
        upward = [cell for cell in column(page, n) if cell != "–"]
        assert upward == sorted(upward, key=str.lower) and len(upward) > 1
        assert page.locator("#heads [aria-sort=ascending]").inner_text().startswith(name)
        page.click(f"#heads button:has-text('{name}')")
        downward = [cell for cell in column(page, n) if cell != "–"]
        assert downward == upward[::-1]
        blank = [cell == "–" for cell in column(page, n)]
        assert blank == sorted(blank)  # what has no value stands last both ways


def test_sentence_is_shown_with_its_span(page):
    page.click("#tab-statements")
    cell = page.locator("#rows td.words").first
    assert cell.inner_text().startswith('KIRVA - "These rats will be crushed," said President')
    assert cell.locator("mark").inner_text() == "These rats will be crushed"


def test_hover_shows_voice_and_links(page):
    page.click("#tab-documents")
    page.click("#list button:has-text('wire-2')")
    mark = page.locator("#document mark", has_text="shoot the weavers")
    assert page.inner_text("#document .text").startswith("A speech 🐀🐀 by Marshal Quorrel: ")
    assert mark.get_attribute("data-tag") == "1 lethal force order · asserted"
    mark.hover()
    card = page.inner_text("#card")
    for part in ("lethal force order", "asserted (0.80)", "Marshal Quorrel", "weavers", "0.83"):
        assert part in card
    roles = {
        role.get_attribute("data-role"): role.inner_text()
        for role in page.locator("#document .role").all()
    }
    assert roles == {"speaker": "Marshal Quorrel", "target": "weavers"}
    page.mouse.move(5, 5)
    assert page.locator("#card").is_hidden() and page.locator(".role").count() == 0
    assert page.text_content("#document .text") == (
        "A speech 🐀🐀 by Marshal Quorrel: shoot the weavers on sight. No one will be charged."
    )


def test_overlapping_spans_and_answers(page):
    page.click("#tab-documents")
    tags = [mark.get_attribute("data-tag") for mark in page.locator("#document mark").all()]
    assert tags == [
        "2 violent threat · quoted",
        "1 dehumanising label · quoted",
        None,
        "3 condemnation",
    ]
    page.locator("#document mark", has_text="unlawful").hover()
    assert "statement 2" in page.inner_text("#card")
    assert page.locator("#document mark.active").count() == 4
    assert page.locator("#document .found li").count() == 3


def test_from_a_row_to_its_place_in_the_document(page):
    page.click("#tab-statements")
    page.click("#rows tr:nth-child(2) .link")
    assert page.locator("#documents").is_visible()
    assert page.evaluate("document.activeElement.textContent") == "shoot the weavers on sight"
    assert page.locator("#card").is_visible()


def test_keyboard_alone(page):
    page.keyboard.press("/")
    page.keyboard.type("charged")
    assert status(page).startswith("1 of 6")
    page.fill("#query", "")
    page.focus("#tab-overview")
    page.keyboard.press("ArrowRight")
    assert page.locator("#statements").is_visible()
    page.keyboard.press("ArrowRight")
    assert page.locator("#documents").is_visible()
    page.focus("#list button >> nth=0")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#document h2") == "wire-2"
    page.focus("#document mark >> nth=0")
    assert page.locator("#card").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()


def test_tab_goes_through_the_whole_page(page):
    met = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        met.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"query", "label", "threshold", "scheme", "tab-overview", "BODY"} <= met


def test_hostile_texts_are_shown_as_they_are(page):
    page.click("#tab-documents")
    page.click("#list button:has-text('<b>hostile</b>')")
    text = page.text_content("#document .text")
    assert text.count("</script><script>window.hacked=1</script><!-- <img src=x onerror=") == 2
    assert "\u2028" in text and "{{SCRIPT}}" in text
    assert page.locator("#document script, #document img, #document b").count() == 0
    page.locator("#document mark").hover()
    page.uncheck("#flagged")
    page.click("#list button:has-text('=quiet')")
    assert page.inner_text("#document h2") == "=quiet 'one' \"two\""
    page.click("#list button:has-text('broken')")
    assert "<script>window.hacked=4</script>" in page.inner_text("#document .problem")


def test_policy_refuses_what_would_get_in(chromium, report):
    page = chromium.new_page()
    page.goto(report.as_uri())
    page.evaluate(
        """() => {
          const html = "<img src=x onerror='window.hacked=5'><iframe src='data:,x'></iframe>";
          document.body.insertAdjacentHTML("beforeend", html);
          const script = document.createElement("script");
          script.textContent = "window.hacked=6";
          document.body.append(script);
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("fetch('data:text/plain,x').then(() => 1, () => 0)") == 0
    page.close()


def test_dark_by_the_system_and_by_choice(page, open_page, report):
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.select_option("#scheme", "dark")
    dark = page.evaluate(colour)
    assert dark != light
    by_system = open_page(report, color_scheme="dark")
    assert by_system.evaluate(colour) == dark
    by_system.select_option("#scheme", "light")
    assert by_system.evaluate(colour) == light


def test_print_shows_all_views_on_white(open_page, report):
    page = open_page(report, color_scheme="dark")
    page.fill("#query", "weavers")
    assert status(page).startswith("3 of 6")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for view in ("#overview", "#statements", "#documents"):
        assert page.locator(view).is_visible()
    for control in ("#filters", "#tabs", ".scheme"):
        assert page.locator(control).is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#rows td.number").count() == 3
    assert page.inner_text("#asked") == "query “weavers”, score at least 0.35"
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, report, scheme):
    from axe_core_python.sync_playwright import Axe

    page = open_page(report, color_scheme=scheme)
    for view in ("overview", "statements", "documents"):
        page.click(f"#tab-{view}")
        if view == "documents":
            page.locator("#document mark").first.focus()
        found = Axe().run(page)["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert serious == [], json.dumps(serious, indent=1)


def test_narrow_screen_does_not_scroll_sideways(open_page, report):
    page = open_page(report, viewport={"width": 380, "height": 700})
    for view in ("overview", "statements", "documents"):
        page.click(f"#tab-{view}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
