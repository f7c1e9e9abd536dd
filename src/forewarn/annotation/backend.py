"""The ML backend of Label Studio: its protocol, answered by a model.

``GET /health``, ``POST /setup``, ``POST /predict``, ``POST /webhook``, ``GET /versions``. The
server sends all tasks of a project in one request and gives up after 100 seconds, so a request has
a budget of seconds. Tasks that it does not reach are answered with an empty list, for which the
server stores nothing; they are scored in the background and answered from memory when the server
asks again. Neither tokens nor texts are logged.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from forewarn.annotation import interface as ui
from forewarn.annotation.tasks import prediction_to_results
from forewarn.model.predictor import Predictor
from forewarn.predictions import Prediction

log = logging.getLogger("forewarn.backend")

MAX_BYTES: Final = 256 * 1024 * 1024
MAX_TASKS: Final = 20_000
MAX_MEMORY: Final = 50_000
TRAIN_ACTIONS: Final = frozenset({"START_TRAINING"})
COUNTED_ACTIONS: Final = frozenset({"ANNOTATION_CREATED", "ANNOTATION_UPDATED"})


class RequestError(ValueError):
    """A request that is not of the protocol; the message says what was expected."""


@dataclass(slots=True)
class Desk:
    """The model that answers at the moment, and what it has answered before.

    :param predictor: the model.
    :param seconds: the budget of one request.
    """

    predictor: Predictor
    seconds: float = 80.0
    _memory: OrderedDict[str, Prediction] = field(default_factory=OrderedDict)
    _waiting: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _worker: threading.Thread | None = None

    @property
    def model_version(self) -> str:
        """Name the model that answers now."""
        return self.predictor.name

    def switch(self, predictor: Predictor) -> None:
        """Answer with another model from now on.

        :param predictor: the model.
        """
        with self._lock:
            self.predictor = predictor
            self._memory.clear()

    def answer(self, tasks: list[Any]) -> list[dict[str, Any] | list[Any]]:
        """Predict tasks, in their order, as far as the budget goes.

        :param tasks: the tasks of one request.
        :return: a prediction for each; an empty list for those that the budget did not reach, and
            for those without a text or whose text cannot be scored.
        """
        until = time.monotonic() + self.seconds
        predictor, late = self.predictor, 0
        answers: list[dict[str, Any] | list[Any]] = []
        for task in tasks:
            text = _text(task)
            prediction = None if text is None else self._known(predictor, text)
            if text is not None and prediction is None:
                if time.monotonic() < until:
                    prediction = self._predict(predictor, text)
                else:
                    late += 1
                    self._postpone(predictor, text)
            answers.append(_answer(predictor.name, text, prediction))
        if late:
            log.warning("%d of %d tasks go on in the background; ask again", late, len(tasks))
            self._work()
        return answers

    def _known(self, predictor: Predictor, text: str) -> Prediction | None:
        with self._lock:
            return self._memory.get(_key(predictor, text))

    def _predict(self, predictor: Predictor, text: str) -> Prediction | None:
        try:
            prediction = predictor.predict_one(text)
        except Exception as error:  # one text must never stop the others
            log.error("a text could not be scored: %s", type(error).__name__)
            return None
        with self._lock:
            if predictor is self.predictor:
                self._memory[_key(predictor, text)] = prediction
                while len(self._memory) > MAX_MEMORY:
                    self._memory.popitem(last=False)
        return prediction

    def _postpone(self, predictor: Predictor, text: str) -> None:
        with self._lock:
            self._waiting[_key(predictor, text)] = text

    def _work(self) -> None:
        with self._lock:
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work_off, daemon=True)
                self._worker.start()

    def _work_off(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    return
                _, text = self._waiting.popitem(last=False)
                predictor = self.predictor
            if self._known(predictor, text) is None:
                self._predict(predictor, text)


def _key(predictor: Predictor, text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    return f"{predictor.name}:{digest.hexdigest()}"


def _text(task: Any) -> str | None:
    data = task.get("data") if isinstance(task, dict) else None
    text = data.get(ui.TEXT) if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


def _answer(
    name: str, text: str | None, prediction: Prediction | None
) -> dict[str, Any] | list[Any]:
    if text is None or prediction is None:
        return []
    return {
        "result": prediction_to_results(text, prediction),
        "score": prediction.mention,
        "model_version": name,
    }


class CountsAnnotations:
    """What the backend does when people annotate: nothing, unless a trainer takes its place."""

    def notice(self, action: str) -> str:
        """Hear of an event of the server.

        :param action: its name.
        :return: what is done about it.
        """
        return f"{action} noted"

    def status(self) -> dict[str, Any]:
        """Say what was trained.

        :return: plain values.
        """
        return {"training": "off"}


def make_app(
    desk: Desk,
    trainer: CountsAnnotations,
    *,
    login: tuple[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Any:
    """Make the ASGI application.

    :param desk: the model.
    :param trainer: hears of annotations.
    :param login: user and password that every request but ``/health`` must carry.
    :param max_bytes: the largest request.
    :return: a Starlette application.
    :raises ImportError: if Starlette is not installed; the message says how to.
    """
    try:
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.requests import Request
        from starlette.responses import JSONResponse, Response
        from starlette.routing import Route
    except ImportError as error:
        raise ImportError(
            f"the ML backend needs Starlette ({error}); pip install 'forewarn[annotate]'"
        ) from error
    one_at_a_time = asyncio.Semaphore(2)

    async def read(request: Request) -> dict[str, Any]:
        size = 0
        parts = []
        async for part in request.stream():
            size += len(part)
            if size > max_bytes:
                raise RequestError(f"more than {max_bytes} bytes; send fewer tasks at once")
            parts.append(part)
        try:
            body = json.loads(b"".join(parts))
        except ValueError as error:
            raise RequestError("the body is not JSON in UTF-8") from error
        if not isinstance(body, dict):
            raise RequestError("the body must be a JSON object")
        return body

    async def health(_: Request) -> Response:
        return JSONResponse(
            {"status": "UP", "model_class": "forewarn", "model_version": desk.model_version}
        )

    async def setup(request: Request) -> Response:
        await read(request)
        return JSONResponse({"model_version": desk.model_version})

    async def predict(request: Request) -> Response:
        tasks = (await read(request)).get("tasks")
        if not isinstance(tasks, list):
            raise RequestError("'tasks' must be a list")
        if len(tasks) > MAX_TASKS:
            raise RequestError(f"{len(tasks)} tasks in one request; at most {MAX_TASKS}")
        started = time.monotonic()
        async with one_at_a_time:
            results = await run_in_threadpool(desk.answer, tasks)
        log.info("predicted %d tasks in %.1f s", len(tasks), time.monotonic() - started)
        return JSONResponse({"results": results})

    async def webhook(request: Request) -> Response:
        action = (await read(request)).get("action")
        if not isinstance(action, str):
            raise RequestError("'action' must be a string")
        return JSONResponse({"status": await run_in_threadpool(trainer.notice, action)})

    async def versions(_: Request) -> Response:
        return JSONResponse({"versions": [desk.model_version], **trainer.status()})

    def guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Any:
        async def guard(request: Request) -> Response:
            if login is not None and not _allowed(request.headers.get("authorization"), login):
                return JSONResponse(
                    {"error": "user or password is wrong"},
                    status_code=401,
                    headers={"WWW-Authenticate": 'Basic realm="forewarn"'},
                )
            try:
                return await endpoint(request)
            except RequestError as error:
                status = 413 if "bytes" in str(error) or "at most" in str(error) else 400
                return JSONResponse({"error": str(error)}, status_code=status)

        return guard

    return Starlette(
        routes=[
            Route("/", health),
            Route("/health", health),
            Route("/setup", guarded(setup), methods=["POST"]),
            Route("/predict", guarded(predict), methods=["POST"]),
            Route("/webhook", guarded(webhook), methods=["POST"]),
            Route("/versions", guarded(versions)),
        ]
    )


def _allowed(header: str | None, login: tuple[str, str]) -> bool:
    kind, _, coded = (header or "").partition(" ")
    try:
        said = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return False
    wanted = f"{login[0]}:{login[1]}".encode()
    return kind.lower() == "basic" and secrets.compare_digest(said, wanted)
