"""The only door to Label Studio's SDK: tasks, predictions and annotations of one server.

Every failure becomes a ``StudioError`` that says what to do. The token is never part of a message.
"""

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from forewarn.annotation.interface import label_config

URL, TOKEN = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
"""Environment variables that name the server and hold the token."""

KEYRING_SERVICE: Final = "forewarn-label-studio"
PAGE_SIZE: Final = 250
_ONCE: Final[Any] = {"max_retries": 0}
"""A request that makes something is not sent twice."""


class StudioError(RuntimeError):
    """The server did not do what was asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a project, as the server has it."""

    id: int
    data: dict[str, Any]
    annotations: tuple[dict[str, Any], ...] = ()
    predictions: tuple[dict[str, Any], ...] = ()
    n_drafts: int = 0

    @property
    def has_work(self) -> bool:
        """Tell whether a person has done anything in it."""
        return bool(self.annotations or self.n_drafts)


@dataclass(slots=True)
class Studio:
    """A server that answers, with the rights of one token.

    :param url: the server's address.
    :param token: a personal access token, or a legacy token where they are enabled.
    :param timeout: seconds to wait for one answer.
    """

    url: str
    token: str = field(repr=False)
    timeout: float = 300.0
    _client: Any = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        try:
            from label_studio_sdk import LabelStudio
        except ImportError as error:
            raise StudioError(
                f"Label Studio's SDK is missing ({error}); pip install 'forewarn[annotate]'"
            ) from error
        self.url = self.url.rstrip("/")
        with self._reach():
            self._client = LabelStudio(
                base_url=self.url, api_key=self.token, timeout=self.timeout, max_retries=2
            )
            self._client.users.whoami()

    @contextmanager
    def _reach(self) -> Iterator[None]:
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        try:
            yield
        except ApiError as error:
            raise StudioError(self._explain(error.status_code, error.body)) from None
        except httpx.TimeoutException:
            raise StudioError(
                f"{self.url}: no answer within {self.timeout:.0f} s; look at the server's log, "
                "then run the command again: what is done already is not done twice"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StudioError(
                f"{self.url}: cannot be reached ({error}); is the server running? Start one with "
                "'forewarn annotate start', or set " + URL
            ) from None

    def _explain(self, status: int | None, body: Any) -> str:
        if status in (401, 403):
            return (
                f"{self.url}: the token was refused (HTTP {status}); copy the one of Account & "
                f"Settings, Personal Access Token, into {TOKEN} or the keyring"
            )
        detail = body
        if isinstance(body, dict):
            detail = body.get("validation_errors") or body.get("detail") or body
        said = " ".join(str(detail).split()).replace(self.token, "[token]")[:300]
        return f"{self.url}: the server answered HTTP {status}: {said}"

    def version(self) -> str:
        """Ask for the server's version.

        :return: such as ``1.23.2``.
        """
        with self._reach():
            raw: dict[str, Any] = self._client.versions.get().dict()
        return str(raw.get("release", "unknown"))

    def users(self) -> dict[int, str]:
        """List the people of the server.

        :return: e-mail address by id.
        """
        with self._reach():
            return {user.id: user.email for user in self._client.users.list()}

    def add_user(self, email: str, password: str) -> int:
        """Add a person.

        :param email: the address that the person logs in with.
        :param password: the first password.
        :return: the person's id.
        """
        with self._reach():
            user = self._client.users.create(
                username=email, email=email, password=password, request_options=_ONCE
            )
        return int(user.id)

    def find_project(self, title: str) -> int | None:
        """Find a project by its title.

        :param title: the title.
        :return: its id, or None.
        :raises StudioError: if several projects have that title.
        """
        with self._reach():
            found = [p.id for p in self._client.projects.list() if p.title == title]
        if len(found) > 1:
            raise StudioError(
                f"{self.url}: {len(found)} projects have the title {title!r}; rename all but one"
            )
        return found[0] if found else None

    def project(self, title: str) -> int:
        """Find a project that must be there.

        :param title: its title.
        :return: its id.
        :raises StudioError: if there is none.
        """
        id_ = self.find_project(title)
        if id_ is None:
            raise StudioError(
                f"{self.url}: no project with the title {title!r}; run 'forewarn annotate push' "
                "first, or give --project"
            )
        return id_

    def make_project(self, title: str, *, instructions: str, n_annotators: int = 2) -> int:
        """Make a project with our interface, or bring the one with that title up to date.

        :param title: the title.
        :param instructions: the guidelines as HTML, shown by a button of the interface.
        :param n_annotators: how many annotations a task wants.
        :return: the project's id.
        """
        id_ = self.find_project(title)
        settings: dict[str, Any] = {
            "label_config": label_config(),
            "expert_instruction": instructions,
            "show_instruction": False,
            "enable_empty_annotation": True,
            "show_collab_predictions": True,
        }
        with self._reach():
            if id_ is not None:
                self._client.projects.update(id=id_, **settings)
                return id_
            project = self._client.projects.create(
                title=title,
                maximum_annotations=n_annotators,
                **settings,
                request_options=_ONCE,
            )
        return int(project.id)

    def tasks(self, project: int) -> list[Task]:
        """List all tasks of a project with their annotations and predictions.

        :param project: the project's id.
        :return: the tasks.
        """
        with self._reach():
            pages = self._client.tasks.list(project=project, page_size=PAGE_SIZE, fields="all")
            return [_task(raw.dict()) for raw in pages]

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Add tasks.

        :param project: the project's id.
        :param tasks: data, predictions and annotations of each.
        """
        with self._reach():
            self._client.projects.import_tasks(
                id=project, request=list(tasks), request_options=_ONCE
            )

    def update_data(self, task: int, data: dict[str, Any]) -> None:
        """Replace a task's data.

        :param task: its id.
        :param data: the new data.
        """
        with self._reach():
            self._client.tasks.update(id=str(task), data=data)

    def put_prediction(self, task: int, prediction: dict[str, Any], id_: int | None = None) -> None:
        """Add a prediction to a task, or replace one.

        :param task: the task's id.
        :param prediction: model version, score and result.
        :param id_: the prediction to replace.
        """
        with self._reach():
            if id_ is None:
                self._client.predictions.create(task=task, **prediction, request_options=_ONCE)
            else:
                self._client.predictions.update(id=id_, task=task, **prediction)

    def add_annotation(self, task: int, annotation: dict[str, Any]) -> int:
        """Add an annotation to a task.

        :param task: the task's id.
        :param annotation: its result and by whom it was completed.
        :return: its id.
        """
        with self._reach():
            made = self._client.annotations.create(id=task, **annotation, request_options=_ONCE)
        return int(made.id)

    def show_model(self, project: int, model_version: str) -> None:
        """Choose whose predictions the interface shows.

        :param project: the project's id.
        :param model_version: as the predictions name it.
        """
        with self._reach():
            self._client.projects.update(id=project, model_version=model_version)

    def backends(self, project: int) -> list[dict[str, Any]]:
        """List the project's ML backends; the server asks each whether it is up.

        :param project: the project's id.
        :return: title, url and state of each: ``CO`` connected, ``DI`` down.
        """
        with self._reach():
            found = [backend.dict() for backend in self._client.ml.list(project=project)]
        return [{k: b.get(k) for k in ("id", "title", "url", "state")} for b in found]

    def add_backend(self, project: int, url: str, login: tuple[str, str] | None = None) -> None:
        """Connect an ML backend to a project.

        :param project: the project's id.
        :param url: the backend's address, as the server reaches it.
        :param login: user and password, if the backend asks for them.
        """
        options: dict[str, Any] = {}
        if login is not None:
            options = {
                "auth_method": "BASIC_AUTH",
                "basic_auth_user": login[0],
                "basic_auth_pass": login[1],
            }
        with self._reach():
            self._client.ml.create(
                project=project, url=url, title="forewarn", **options, request_options=_ONCE
            )
            if login is not None:
                self._sign_webhook(project, f"{url.rstrip('/')}/webhook", login)

    def _sign_webhook(self, project: int, url: str, login: tuple[str, str]) -> None:
        # The server makes a webhook for the backend, but does not log in with it.
        coded = base64.b64encode(":".join(login).encode()).decode()
        for webhook in self._client.webhooks.list(project=str(project)):
            if webhook.url == url:
                self._client.webhooks.update(
                    id=webhook.id, url=url, headers={"Authorization": f"Basic {coded}"}
                )


def find_token(url: str) -> str:
    """Look for the token of a server, in the environment and then in the keyring.

    :param url: the server's address.
    :return: the token.
    :raises StudioError: if there is none.
    """
    if token := os.environ.get(TOKEN):
        return token
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        stored = None
    else:
        try:
            stored = keyring.get_password(KEYRING_SERVICE, url.rstrip("/"))
        except KeyringError:  # no keyring on this machine
            stored = None
    if not stored:
        raise StudioError(
            f"no token for {url}: set {TOKEN}, or store it once with "
            f"'keyring set {KEYRING_SERVICE} {url}'"
        )
    return str(stored)


def _task(raw: dict[str, Any]) -> Task:
    return Task(
        int(raw["id"]),
        raw["data"] or {},
        tuple(raw.get("annotations") or ()),
        tuple(raw.get("predictions") or ()),
        len(raw.get("drafts") or ()),
    )
