"""Scoring on Ray: real local clusters, the same predictions, and workers that are killed."""

import json

import pytest
from pyarrow import parquet

from forewarn.distributed import SPARK_SCHEMA, score_frames, score_with_ray
from forewarn.shards import BatchError
from forewarn.sources import ReadOptions
from forewarn.workers import WorkerOptions

ray = pytest.importorskip("ray")

LOUD = "Marshal Quorrel called the weavers lice. He told the Lancers to fire into the crowd."
PLAIN = "The harbour office said that the ferry leaves at nine."


def write_documents(folder, n_files, n_documents):
    folder.mkdir()
    for f in range(n_files):
        rows = [
            {"id": f"{f}-{n}", "text": (LOUD, PLAIN)[n % 2] + f" {n}"} for n in range(n_documents)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{f}.jsonl").write_text(lines)
    return sorted(str(path) for path in folder.iterdir())


@pytest.fixture
def cluster():
    """Two nodes on this machine: the driver's, and one that can be killed."""
    from ray.cluster_utils import Cluster

    ray.shutdown()
    memory = 150 * 2**20
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 2, "object_store_memory": memory, "include_dashboard": False},
    )
    second = cluster.add_node(num_cpus=2, object_store_memory=memory)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()


def by_id(rows):
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_same_records_as_on_one_machine_also_when_a_node_dies(
    cluster, run, tiny_model, tmp_path, monkeypatch
):
    import threading

    files = write_documents(tmp_path / "in", 8, 150)
    broken = tmp_path / "in" / "z.jsonl"
    broken.write_text('{"id": "bad"}\n')
    files.append(str(broken))
    assert run("score", *files, "-o", tmp_path / "one").exit_code == 1
    lines = [path.read_text() for path in sorted((tmp_path / "one").glob("records-*"))]
    expected = [json.loads(line) for line in "".join(lines).splitlines()]
    nodes, second = cluster
    killer = threading.Timer(3.0, lambda: nodes.remove_node(second, allow_graceful=False))
    killer.start()
    options = WorkerOptions(str(tiny_model), None, gate=True, flat=False)
    counts = score_with_ray(files, tmp_path / "many", options, n_actors=2)
    killer.join()
    assert counts == {"n_documents": 1201, "n_flagged": 600, "n_failed": 1}
    rows = parquet.read_table(tmp_path / "many").to_pylist()
    assert by_id(rows) == by_id(expected)


def test_json_lines_and_what_is_carried_through(cluster, tiny_model, tmp_path):
    (tmp_path / "a.csv").write_text(f"id,text,place\na,{PLAIN},Kirva\n")
    options = WorkerOptions(str(tiny_model), None, gate=True, flat=False)
    read = ReadOptions(keep=("place",))
    score_with_ray(
        [str(tmp_path / "a.csv")], tmp_path / "out", options, read=read, kind=".jsonl", n_actors=1
    )
    [path] = (tmp_path / "out").glob("*.json*")
    row = json.loads(path.read_text())
    assert row["id"] == "a" and json.loads(row["meta"]) == {"place": "Kirva"}


def test_frames_as_spark_gives_them(tiny_model):
    import pandas

    frame = pandas.DataFrame({"id": ["a", "b"], "text": [LOUD, None]})
    options = WorkerOptions(str(tiny_model), None, gate=False, flat=False)
    [scored] = score_frames(iter([frame]), options)
    assert list(scored.columns) == [part.split()[0] for part in SPARK_SCHEMA.split(", ")]
    assert "lice" in {span["text"] for span in json.loads(scored["spans"][0])}
    assert "not a string" in scored["error"][1]


def test_refusals(tiny_model, tmp_path):
    options = WorkerOptions(str(tiny_model), None, gate=True, flat=False)
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(BatchError, match="is not empty"):
        score_with_ray([str(tmp_path / "mine.txt")], tmp_path, options)
    with pytest.raises(BatchError, match=r"\.parquet or \.jsonl"):
        score_with_ray([], tmp_path / "out", options, kind=".csv")
    with pytest.raises(BatchError, match="standard input"):
        score_with_ray(["-"], tmp_path / "out", options)
