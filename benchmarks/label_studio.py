"""Times of push and pull for many tasks, against a Label Studio that is started for it.

    python benchmarks/label_studio.py --environment .venv-label-studio --tasks 2000

Texts are those of the training split, over and over under new ids; every task gets a prediction,
and half of them an annotation. What the model itself takes is not in the times: its predictions are
made before.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from forewarn.annotation import server as local
from forewarn.annotation.client import Studio
from forewarn.annotation.layers import AnnotatedDocument, Layer
from forewarn.annotation.pull import pull
from forewarn.annotation.push import Suggestion, push
from forewarn.annotation.tasks import layer_to_results
from forewarn.corpus.load import read_split
from forewarn.records import Annotation


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--environment", type=Path, help="where Label Studio is installed")
    parser.add_argument("--tasks", type=int, default=2000)
    options = parser.parse_args()
    if options.environment:
        os.environ[local.ENVIRONMENT] = str(options.environment.absolute())
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options, Path(folder)), indent=1))


def measure(options, folder):
    times = {"tasks": options.tasks}
    clock = time.monotonic()
    running = local.start(folder / "server")
    times["first start, with migrations"] = round(time.monotonic() - clock, 1)
    try:
        studio = Studio(running.url, running.login.token)
        project = studio.make_project("Times", instructions="")
        documents = list(make_documents(options, running.login.email))
        plain = [replace(d, layers=()) for d in documents]
        items = {d.id: layer_to_results(d.layers[0]) for d in documents}
        people = {email: id_ for id_, email in studio.users().items()}

        def suggest(document):
            return [Suggestion("gold", 0.5, items[document.id])]

        for name, wanted, who in (
            ("push of all", plain, None),
            ("second push, nothing new", plain, None),
            ("push of annotations to half of them", documents[::2], people),
        ):
            clock = time.monotonic()
            report = push(
                studio, project, wanted, guidelines="1", suggestions=suggest, annotators=who
            )
            times[name] = round(time.monotonic() - clock, 1)
            assert not report.problems
        for name in ("pull of all", "second pull, nothing new"):
            clock = time.monotonic()
            report = pull(studio, project, folder / "pulled")
            times[name] = round(time.monotonic() - clock, 1)
            assert report.annotations == len(documents[::2])
    finally:
        running.stop()
    return times


def make_documents(options, email):
    train = read_split(options.corpus, "train")
    for n, gold in enumerate(islice(cycle(train), options.tasks)):
        layer = Layer(Annotation(email, "1", gold.spans, gold.relations))
        yield AnnotatedDocument(f"{gold.id}-{n}", gold.text, {}, (layer,))


if __name__ == "__main__":
    main()
