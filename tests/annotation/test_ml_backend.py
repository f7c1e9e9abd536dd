"""The ML backend over real HTTP, asked by hand and by the real server."""

import base64
import json
import logging
import socket
import threading
import time
from http.client import HTTPConnection

import pytest
import uvicorn
from typer.testing import CliRunner

from forewarn import labels
from forewarn.annotation.backend import CountsAnnotations, Desk, make_app
from forewarn.annotation.exports import results_to_layer
from forewarn.annotation.layers import AnnotatedDocument, Layer
from forewarn.annotation.push import push
from forewarn.annotation.retraining import (
    FIGURES,
    Trainer,
    extend_corpus,
    is_no_worse,
    training_rows,
)
from forewarn.cli import app
from forewarn.jsonl import read_jsonl
from forewarn.model.predictor import Predictor
from forewarn.records import Annotation, Span

TEXT = "The minister called the strikers vermin and told police to shoot them on sight."


@pytest.fixture(scope="module")
def shipped():
    return Predictor.load("en_forewarn-0.2.0")


@pytest.fixture
def serve():
    """Serve an app on a free port; give a function that asks it."""
    running = []

    def start(app):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.05)

        def ask(method, path, body=None, headers=None):
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, content, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        def stop():
            server.should_exit = True
            thread.join()

        ask.url, ask.stop = f"http://127.0.0.1:{port}", stop
        return ask

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


def tasks(*texts):
    return {"tasks": [{"id": n, "data": {"text": text}} for n, text in enumerate(texts)]}


def test_protocol(serve, shipped, caplog):
    caplog.set_level(logging.INFO)
    ask = serve(make_app(Desk(shipped), CountsAnnotations()))
    assert ask("GET", "/health")[1]["status"] == "UP"
    project = {"project": "1.2", "access_token": "secret-token", "schema": "<View/>"}
    assert ask("POST", "/setup", project) == (200, {"model_version": shipped.name})
    status, body = ask("POST", "/predict", tasks(TEXT, "Trams run on time."))
    first, second = body["results"]
    assert (status, first["model_version"]) == (200, shipped.name)
    layer = results_to_layer(TEXT, first["result"], annotator="", guidelines="")
    assert not layer.aside
    assert layer.annotation.spans
    rhetoric = [i for i in first["result"] if i.get("value", {}).get("labels")]
    assert all(0 <= i["score"] <= 1 for i in rhetoric if i["value"]["labels"][0] in labels.RHETORIC)
    assert first["score"] > second["score"]
    assert ask("POST", "/webhook", {"action": "ANNOTATION_CREATED"})[0] == 200
    assert ask("GET", "/versions")[1]["versions"] == [shipped.name]
    assert "secret-token" not in caplog.text and "vermin" not in caplog.text


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 400, "object"),
        ({"tasks": 3}, 400, "list"),
        ({"tasks": [{}] * 20_001}, 413, "at most"),
        (b"x" * 300_000, 413, "bytes"),
    ],
)
def test_bad_requests_are_answered(serve, shipped, body, status, said):
    ask = serve(make_app(Desk(shipped), CountsAnnotations(), max_bytes=200_000))
    found = ask("POST", "/predict", body)
    assert found[0] == status and said in found[1]["error"]


def test_tasks_without_a_text_are_left_without_a_prediction(serve, shipped):
    ask = serve(make_app(Desk(shipped), CountsAnnotations()))
    body = {"tasks": [{"id": 1, "data": {}}, "no task", {"data": {"text": "a \ud800"}}]}
    assert ask("POST", "/predict", body)[1]["results"] == [[], [], []]


def test_password(serve, shipped):
    ask = serve(make_app(Desk(shipped), CountsAnnotations(), login=("ana", "word")))
    assert ask("GET", "/health")[0] == 200
    for said in (None, "Basic !", "Basic " + base64.b64encode(b"ana:wrong").decode()):
        headers = {"Authorization": said} if said else {}
        assert ask("POST", "/predict", tasks(TEXT), headers)[0] == 401
    right = {"Authorization": "Basic " + base64.b64encode(b"ana:word").decode()}
    assert ask("POST", "/predict", tasks(TEXT), right)[0] == 200


def test_what_the_budget_does_not_reach_is_there_when_asked_again(shipped):
    desk = Desk(shipped, seconds=0)
    texts = tasks(TEXT, "Trams run on time.")["tasks"]
    assert desk.answer(texts) == [[], []]
    desk._worker.join()
    assert [answer["model_version"] for answer in desk.answer(texts)] == [shipped.name] * 2


def test_the_real_server_asks_for_predictions_and_says_when_it_is_down(
    studio, server, serve, shipped
):
    project = studio.make_project("Round", instructions="")
    documents = [AnnotatedDocument(f"d{n}", f"{TEXT} {n}", {}, ()) for n in range(3)]
    push(studio, project, documents, guidelines="1.2")

    class Heard(CountsAnnotations):
        def __init__(self):
            self.actions = []

        def notice(self, action):
            self.actions.append(action)
            return "heard"

    heard = Heard()
    ask = serve(make_app(Desk(shipped), heard, login=("ana", "word")))
    studio.add_backend(project, ask.url, ("ana", "word"))
    assert studio.backends(project)[0]["state"] == "CO"
    everything = {"all": True, "excluded": []}
    studio._client.actions.create(
        id="retrieve_tasks_predictions", project=project, selected_items=everything
    )
    for task in studio.tasks(project):
        (prediction,) = task.predictions
        assert prediction["model_version"] == shipped.name
        layer = results_to_layer(
            task.data["text"], prediction["result"], annotator="", guidelines=""
        )
        assert layer.annotation.spans and not layer.aside

    studio.add_annotation(studio.tasks(project)[0].id, {"result": []})
    studio._client.ml.train(id=studio.backends(project)[0]["id"])
    assert "ANNOTATION_CREATED" in heard.actions and "START_TRAINING" in heard.actions

    ask.stop()
    assert studio.backends(project)[0]["state"] == "DI"
    environment = {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.login.token}
    status = CliRunner(env=environment).invoke(app, ["annotate", "status", "--project", "Round"])
    assert status.exit_code == 0, status.output
    assert "DOWN: start 'forewarn annotate serve'" in status.stdout
    assert f"3 suggestions by {shipped.name}" in status.stdout
    assert server.login.token not in status.output


def pulled(id_, text, words):
    start = text.index(words)
    span = Span("R1", "INCITEMENT", start, start + len(words), words, "asserted")
    layer = Layer(Annotation("ana", "1.2", (span,), ()), origin={"annotation": 1})
    return AnnotatedDocument(id_, text, {}, (layer,))


def test_new_rows_never_reach_what_is_held_out(tiny_corpus, tmp_path):
    rows = training_rows([pulled("new", "Drive them out!", "Drive them out")])
    held_out = read_jsonl(tiny_corpus / "data" / "validation.jsonl")[0]
    rows += [{**rows[0], "id": held_out["id"]}, {**rows[0], "id": "x", "text": held_out["text"]}]
    assert extend_corpus(tiny_corpus, rows, tmp_path / "extended") == 1
    train = read_jsonl(tmp_path / "extended" / "data" / "train.jsonl")
    assert train[-1]["id"] == "new" and train[-1]["spans"][0]["text"] == "Drive them out"


@pytest.mark.parametrize(("drop", "right"), [(0.0, True), (0.01, True), (0.03, False)])
def test_a_model_that_is_worse_in_one_figure_does_not_take_over(drop, right):
    old = dict.fromkeys(FIGURES, 0.5)
    assert is_no_worse(old, {**old, "voice_accuracy": 0.5 - drop}, 0.02) is right


def test_training_in_the_background_switches_or_stays(
    tiny_model, tiny_corpus, tiny_encoder, tmp_path
):
    config = tmp_path / "tiny.cfg"
    config.write_text(
        '[training]\nname = "en_tiny"\nversion = "0.0.1"\nepochs = 1\nwindow = 200\noverlap = 60\n'
    )
    old = Predictor.load(tiny_model)
    desk = Desk(old)
    trainer = Trainer(
        old,
        desk.switch,
        lambda: [pulled("new", "Drive them out!", "Drive them out")],
        *(tiny_corpus, config, tmp_path / "models"),
        every=2,
        options=("--encoder", str(tiny_encoder)),
    )
    assert "1 annotations" in trainer.notice("ANNOTATION_CREATED")
    assert trainer.notice("ANNOTATION_UPDATED") == "training has started"
    assert trainer.notice("START_TRAINING") == "a training is going on already"
    trainer.wait()
    (outcome,) = trainer.outcomes
    # One epoch from nothing is worse than the model that knows the documents by heart.
    assert not outcome.switched and "en_tiny-0.0.1 stays" in outcome.said, outcome
    assert desk.model_version == "en_tiny-0.0.1"

    trainer.tolerance = 1.0
    trainer.notice("START_TRAINING")
    trainer.wait()
    assert trainer.outcomes[-1].switched and desk.model_version == "en_tiny-0.0.1.post2"
    assert trainer.status()["outcomes"][0]["model"] == "en_tiny-0.0.1"
