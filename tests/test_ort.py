"""Sessions: what a model answers, what it says of itself, and what becomes of it in threads and processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from ort_models import (
    FLOAT32,
    METADATA,
    conv_model,
    images,
    model_bytes,
    one_node_model,
    reference,
    run_python,
)

from lprfast._core import ModelError, Session
from lprfast._ort_library import ort_library_path

LIBRARY = ort_library_path()


@pytest.fixture(scope="module")
def conv() -> Session:
    return Session(conv_model(), LIBRARY)


@pytest.fixture
def conv_file(tmp_path: Path) -> Path:
    folder = tmp_path / "zażółć 京"
    folder.mkdir()
    path = folder / "модель.onnx"
    path.write_bytes(conv_model())
    return path


# ---- answers


@pytest.mark.parametrize("threads", [1, 3])
def test_outputs_are_those_of_the_python_package(conv_file: Path, tmp_path: Path, threads: int) -> None:
    inputs = images(5)
    expected = reference(conv_file, inputs, tmp_path)
    assert expected.shape == (5, 4, 8, 16)
    for model in (str(conv_file), conv_file, conv_file.read_bytes()):
        session = Session(model, LIBRARY, threads=threads)
        for _ in range(3):  # the first run lets ONNX Runtime allocate, later ones write in place
            output = session.run(inputs)
            assert output.dtype == np.float32
            np.testing.assert_array_equal(output, expected)


def test_batches_of_changing_size_and_content(conv: Session) -> None:
    everything = images(12, seed=1)
    expected = conv.run(everything)
    for batch in (1, 12, 3, 1, 7, 3):
        for start in (0, 12 - batch):
            part = conv.run(everything[start : start + batch])
            np.testing.assert_array_equal(part, expected[start : start + batch])


def test_empty_batch(conv: Session) -> None:
    for _ in range(2):
        assert conv.run(images(0)).shape == (0, 4, 8, 16)


def test_more_shapes_than_are_remembered() -> None:
    session = Session(one_node_model("Neg", ["a", "b"]), LIBRARY)
    for width in [*range(1, 150), *range(1, 150)]:
        inputs = np.arange(2 * width, dtype=np.float32).reshape(2, width)
        np.testing.assert_array_equal(session.run(inputs), -inputs)


def _shared_name_model() -> bytes:
    return model_bytes([], [("x", FLOAT32, ["a", "b"])], [("x", FLOAT32, ["a", "b"])])


def _constant_model() -> bytes:
    value = ("y", np.array([1.0, 2.0], np.float32))
    return model_bytes([], [("x", FLOAT32, ["a", "b"])], [("y", FLOAT32, [2])], [value])


def _positions_model() -> bytes:
    """Its output's shape depends on the input's values, so no earlier run tells it."""
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("NonZero", ["r"], ["n"]),
        helper.make_node("Cast", ["n"], ["y"], to=FLOAT32),
    ]
    return model_bytes(nodes, [("x", FLOAT32, ["a", "b"])], [("y", FLOAT32, ["c", "d"])])


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (_shared_name_model(), lambda x: x),
        (one_node_model("Identity", ["a", "b"]), lambda x: x),
        (one_node_model("Reshape", ["c", "d"], [("s", np.array([3, -1]))]), lambda x: x.reshape(3, -1)),
        (one_node_model("ReduceSum", [], keepdims=0), lambda x: x.sum()),
        (_constant_model(), lambda x: np.array([1.0, 2.0], np.float32)),
        (_positions_model(), lambda x: np.array(np.nonzero(x > 0), np.float32)),
    ],
    ids=["passes-input-through", "identity", "reshape", "scalar", "constant", "shape-from-values"],
)
def test_outputs_that_are_awkward_to_write_in_place(model: bytes, answer) -> None:
    session = Session(model, LIBRARY)
    for shift in (0.0, 1.0, 2.0, 1.0):
        inputs = np.arange(6, dtype=np.float32).reshape(2, 3) - 2 + shift
        output = session.run(inputs)
        np.testing.assert_array_equal(output, answer(inputs))
        assert output.shape == np.shape(answer(inputs))


def test_many_threads_on_one_session(conv: Session) -> None:
    jobs = [images(1 + seed % 5, seed) for seed in range(200)]
    serial = [conv.run(job) for job in jobs]
    shared = Session(conv_model(), LIBRARY)
    with ThreadPoolExecutor(8) as pool:
        for expected, output in zip(serial, pool.map(shared.run, jobs), strict=True):
            np.testing.assert_array_equal(output, expected)


def test_sessions_made_from_many_threads_at_once() -> None:
    expected = Session(conv_model(), LIBRARY).run(images(2))
    with ThreadPoolExecutor(8) as pool:
        for output in pool.map(lambda _: Session(conv_model(), LIBRARY).run(images(2)), range(16)):
            np.testing.assert_array_equal(output, expected)


# ---- what a model says of itself


def test_inputs_outputs_and_metadata(conv: Session) -> None:
    assert conv.inputs == [("x", 1, (-1, 1, 8, 16))]
    assert conv.outputs == [("y", 1, (-1, 4, 8, 16))]
    assert conv.metadata == METADATA


def test_no_metadata() -> None:
    assert Session(one_node_model("Neg", ["a", "b"]), LIBRARY).metadata == {}


def test_metadata_that_is_no_text() -> None:
    damaged = conv_model().replace("Ż".encode(), b"\xff\xfe")
    with pytest.raises(ModelError, match="metadata value of 'charset' is not UTF-8"):
        _ = Session(damaged, LIBRARY).metadata


# ---- processes


def test_fork_after_use() -> None:
    code = """
        import os, signal, sys
        from lprfast._core import Session
        from ort_models import conv_model, images
        model, x = conv_model(16), images(4)
        for threads in (1, 3):
            session = Session(model, sys.argv[1], threads=threads)
            expected = session.run(x)
            for what in ("run", "new", "delete", "exit"):
                child = os.fork()
                if child == 0:
                    signal.alarm(60)
                    if what == "run":
                        assert all((session.run(x) == expected).all() for _ in range(20))
                    elif what == "new":
                        assert (Session(model, sys.argv[1], threads=threads).run(x) == expected).all()
                    elif what == "delete":
                        del session
                    sys.exit(0)
                print(what, threads, os.waitpid(child, 0)[1])
            assert (session.run(x) == expected).all()
    """
    tests = Path(__file__).parent
    root = f"{tests.parent}:{tests}"
    lines = run_python(code, LIBRARY, env={"PYTHONPATH": root, "PYTHONWARNINGS": "ignore"}).splitlines()
    assert lines == [f"{what} {threads} 0" for threads in (1, 3) for what in ("run", "new", "delete", "exit")]


def test_thread_counts_and_silence(tmp_path: Path) -> None:
    """Each session has threads - 1 workers, and nothing else starts, is written or is printed."""
    (tmp_path / "model.onnx").write_bytes(conv_model())
    (tmp_path / "home").mkdir()
    code = """
        import os, sys
        from lprfast._ort_library import ort_library_path
        from lprfast._core import Session
        def count():
            return len(os.listdir("/proc/self/task"))
        before, counts, sessions = count(), [], []
        for threads in (1, 3, 2, 1):
            sessions.append(Session(sys.argv[1], ort_library_path(), threads=threads))
            counts.append(count() - before)
        sessions.clear()
        print(*counts, count() - before, "onnxruntime" in sys.modules, os.environ["ORT_DISABLE_TELEMETRY"])
    """
    home = str(tmp_path / "home")
    env = {"XDG_CACHE_HOME": home, "HOME": home, "ORT_DISABLE_TELEMETRY": None}
    assert run_python(code, str(tmp_path / "model.onnx"), env=env) == "0 2 3 3 0 False 1\n"
    assert list((tmp_path / "home").iterdir()) == []
