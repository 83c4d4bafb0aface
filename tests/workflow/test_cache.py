from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from napari_msqsm._backend import to_numpy
from napari_msqsm.qsm.phase_sign import SignVerdict
from napari_msqsm.qsm.step import Step
from napari_msqsm.settings import Settings
from napari_msqsm.workflow.cache import StepCache
from napari_msqsm.workflow.content import digest_of
from napari_msqsm.workflow.store import ResultStore


class Scale(Settings):
    factor: float = 2.0


class Offset(Settings):
    offset: float = 1.0


class Tree(Settings):
    scale: Scale = Scale()
    offset: Offset = Offset()


def _scale(values, settings, _):
    return {"scaled": values["x"] * settings.scale.factor}


def _add(values, settings, _):
    return {"sum": values["scaled"] + settings.offset.offset, "notes": ["added"]}


def steps(version=1):
    return (
        Step("scale", "Scaling", version, ("x",), ("scaled",), ("scale",), _scale, 1.0),
        Step("add", "Adding", 1, ("scaled",), ("sum", "notes"), ("offset",), _add, 1.0),
    )


def run(folder, x, settings=None, *, version=1, max_bytes=1 << 30):
    """Run both steps through a new cache; return the values and which steps ran."""
    settings = settings or Tree()
    cache = StepCache(ResultStore(folder, max_bytes=max_bytes))
    values = {"x": x}
    for step in steps(version):
        inputs = {name: values[name] for name in step.needs}
        values |= cache.around(step, inputs, settings, lambda s=step, i=inputs: s.run(i, settings, None))
    return values, cache.computed, cache.reused


X = np.arange(24**3, dtype=np.float32).reshape(24, 24, 24)


def test_a_second_run_does_nothing_again_and_gives_the_same(tmp_path):
    first, computed, _ = run(tmp_path, X)
    assert computed == ["scale", "add"]
    second, computed, reused = run(tmp_path, X.copy())
    assert computed == []
    assert reused == ["scale", "add"]
    np.testing.assert_array_equal(second["sum"], first["sum"])
    assert second["sum"].dtype == first["sum"].dtype
    assert second["notes"] == ["added"]


def test_a_setting_redoes_only_what_reads_it_and_what_follows(tmp_path):
    run(tmp_path, X)
    _, computed, reused = run(tmp_path, X, Tree(offset=Offset(offset=5.0)))
    assert (computed, reused) == (["add"], ["scale"])
    _, computed, _ = run(tmp_path, X, Tree(scale=Scale(factor=3.0)))
    assert computed == ["scale", "add"]


def test_content_and_version_decide(tmp_path):
    run(tmp_path, X)
    changed = X.copy()
    changed[3, 4, 5] += 1
    assert run(tmp_path, changed)[1] == ["scale", "add"]
    assert run(tmp_path, X, version=2)[1] == ["scale"]  # it makes the same as before: what follows stays
    assert run(tmp_path, X.astype(np.float64))[1] == ["scale", "add"]


def test_an_input_that_is_handed_on_does_not_change_what_follows(tmp_path):
    def same(values, *_):
        return {"y": values["x"]}

    def use(values, *_):
        return {"z": values["x"] + values["y"]}

    chain = (
        Step("same", "", 1, ("x",), ("y",), (), same, 1.0),
        Step("use", "", 1, ("x", "y"), ("z",), (), use, 1.0),
    )
    for expected in (["same", "use"], []):
        cache, values = StepCache(ResultStore(tmp_path)), {"x": X.copy()}
        for step in chain:
            inputs = {name: values[name] for name in step.needs}
            values |= cache.around(step, inputs, Tree(), lambda s=step, i=inputs: s.run(i, Tree(), None))
        assert cache.computed == expected


@pytest.mark.parametrize("damage", ["truncate", "flip", "index", "unlink"])
def test_a_damaged_entry_is_computed_again(tmp_path, damage):
    expected, *_ = run(tmp_path, X)
    (entry,) = tmp_path.glob("scale-*")
    data = entry / "scaled.npy"
    if damage == "truncate":
        data.write_bytes(data.read_bytes()[:500])
    elif damage == "flip":
        raw = bytearray(data.read_bytes())
        raw[-5] ^= 0xFF
        data.write_bytes(bytes(raw))
    elif damage == "index":
        (entry / "values.json").write_text('{"scaled": {"arr', encoding="utf-8")
    else:
        data.unlink()
    values, computed, reused = run(tmp_path, X)
    assert computed == ["scale"]
    assert reused == ["add"]
    np.testing.assert_array_equal(values["sum"], expected["sum"])
    assert run(tmp_path, X)[1] == []


def test_what_fails_is_not_stored(tmp_path):
    cache = StepCache(ResultStore(tmp_path / "cache"))

    def broken():
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        cache.around(steps()[0], {"x": X}, Tree(), broken)
    assert not (tmp_path / "cache").exists()


def test_the_folder_stays_bounded_and_the_oldest_go_first(tmp_path):
    limit = 3 * X.nbytes
    for offset in range(5):
        run(tmp_path, X, Tree(offset=Offset(offset=offset)), max_bytes=limit)
    size = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert size <= limit
    assert run(tmp_path, X, Tree(offset=Offset(offset=4)), max_bytes=limit)[2][-1] == "add"
    assert run(tmp_path, X, Tree(offset=Offset(offset=0)), max_bytes=limit)[1][-1] == "add"


def test_an_unwritable_folder_only_costs_time(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    values, computed, _ = run(blocked, X)
    assert computed == ["scale", "add"]
    np.testing.assert_array_equal(values["sum"], 2 * X + 1)


def test_keys_do_not_depend_on_the_array_library(tmp_path, xp_case):
    expected, *_ = run(tmp_path, X)
    values, computed, reused = run(tmp_path, xp_case.asarray(X))
    assert computed == []
    assert reused == ["scale", "add"]
    xp_case.check(values["sum"], "float32", X.shape)
    np.testing.assert_array_equal(to_numpy(values["sum"]), expected["sum"])


def test_values_of_all_kinds_survive_the_store(tmp_path):
    store = ResultStore(tmp_path)
    values = {
        "verdict": SignVerdict(-1, 3.5, "the data contradict"),
        "nested": {"numbers": (1, 2.5, None, True), "words": ["a"]},
        "mask": X > 5,
        "nan": float("nan"),
        "scalar": np.float32(2.5),
    }
    assert store.save("k", values)
    back = store.load("k", lambda host: host)
    assert back["verdict"] == values["verdict"]
    assert back["nested"] == {"numbers": (1, 2.5, None, True), "words": ["a"]}
    assert back["scalar"] == 2.5
    assert np.isnan(back["nan"])
    np.testing.assert_array_equal(back["mask"], values["mask"])


@dataclass(frozen=True)
class Foreign:
    value: int


def test_foreign_objects_are_not_stored_and_leave_nothing(tmp_path):
    store = ResultStore(tmp_path)
    assert not store.save("k", {"x": X, "foreign": Foreign(1)})
    assert list(tmp_path.iterdir()) == []


def test_digests_tell_apart_what_differs():
    values = [X, X.T, X.astype(np.int32), X.reshape(24, -1), 1, 1.0, True, "1", None, [1], {"a": 1}, {"a": 2}, Scale()]
    digests = [digest_of(value) for value in values]
    assert len(set(digests)) == len(values)
    assert digest_of(np.asfortranarray(X)) == digest_of(X)
    with pytest.raises(TypeError, match="cannot hash"):
        digest_of(object())
