"""Models into the user's folder and out again: whole or not at all, and never outside it."""

import shutil
import zipfile

import pytest
from support.models import write_test_bundle

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.models import install as module
from StrokePredictLib.models.bundle import SHIPPED, bundle_folders, find_bundle, open_bundle, write_sums
from StrokePredictLib.models.install import install, remove
from StrokePredictLib.models.store import user_bundles, user_folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_test_bundle(tmp_path_factory.mktemp("made") / "some-folder", "yu2020", "mine")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("STROKE_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


def zipped(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def leftovers(store):
    return sorted(p.name for p in store.iterdir()) if store.exists() else []


@pytest.mark.parametrize("how", ["folder", "zip", "zip with a folder in it"])
def test_installed_found_and_removed(made, store, tmp_path, how):
    source = made
    if how != "folder":
        source = zipped(made, tmp_path / "m.zip", "deeper/" if "folder" in how else "")
    bundle = install(source)
    assert bundle.folder == store / "mine" == find_bundle("mine")
    assert bundle.sha256 == open_bundle(made).sha256
    assert [p.name for p in user_bundles()] == ["mine"] == leftovers(store)
    assert remove("mine") == store / "mine"
    assert leftovers(store) == []
    with pytest.raises(StrokeError, match="no model 'mine'"):
        find_bundle("mine")


def test_a_second_one_of_the_same_name_only_replaces_when_asked(made, store, tmp_path):
    install(made)
    other = write_test_bundle(tmp_path / "other", "yu2020", "mine", title="Second")
    with pytest.raises(StrokeError, match="installed already"):
        install(other)
    assert open_bundle(store / "mine").card.title == "Test yu2020"
    assert install(other, replace=True).card.title == "Second"
    assert leftovers(store) == ["mine"]


def test_shipped_models_are_neither_replaced_nor_removed(tmp_path, store):
    fake = write_test_bundle(tmp_path / "fake", "debs2021", "infarct-general")
    with pytest.raises(StrokeError, match="comes with the software"):
        install(fake, replace=True)
    with pytest.raises(StrokeError, match="comes with the software and stays"):
        remove("infarct-general")
    with pytest.raises(StrokeError, match="no installed model 'nothing'"):
        remove("nothing")
    assert find_bundle("infarct-general").parent == SHIPPED
    assert leftovers(store) == []


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/evil.txt", "..\\evil.txt", "C:/evil.txt", "C:\\evil.txt"]
)
def test_a_zip_that_would_write_outside_is_refused_before_anything_is_unpacked(made, store, tmp_path, name):
    path = zipped(made, tmp_path / "evil.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), "evil")
    with pytest.raises(StrokeError, match="outside its folder"):
        install(path)
    assert not [p for p in tmp_path.rglob("*evil.txt")]
    assert leftovers(store) == []


def test_a_zip_with_a_link_is_refused(made, store, tmp_path):
    path = zipped(made, tmp_path / "link.zip")
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("models/more.safetensors")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "../../../secret")
    with pytest.raises(StrokeError, match="holds a link"):
        install(path)
    assert leftovers(store) == []


def test_a_bomb_is_refused_unopened(made, store, tmp_path, monkeypatch):
    path = zipped(made, tmp_path / "bomb.zip")
    monkeypatch.setattr(module, "LARGEST_BYTES", 1000)
    with pytest.raises(StrokeError, match="more than a model can be"):
        install(path)
    assert leftovers(store) == []


def test_a_folder_with_a_link_is_refused(made, tmp_path, store):
    folder = shutil.copytree(made, tmp_path / "linked")
    (folder / "models" / "x.safetensors").symlink_to("/etc/hostname")
    with pytest.raises(StrokeError, match="holds a link"):
        install(folder)


def test_what_is_no_bundle(tmp_path, store):
    (tmp_path / "a.zip").write_bytes(b"PK nonsense")
    with pytest.raises(StrokeError, match="no readable zip"):
        install(tmp_path / "a.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StrokeError, match="no model bundle"):
        install(tmp_path / "empty")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(StrokeError, match="no model bundle"):
        install(tmp_path / "b.zip")
    with pytest.raises(StrokeError, match="no such file or folder"):
        install(tmp_path / "absent.zip")
    assert leftovers(store) == []


def test_a_damaged_or_misfitting_bundle_is_not_installed(made, tmp_path, store):
    damaged = shutil.copytree(made, tmp_path / "damaged")
    weights = damaged / "models" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x00")
    with pytest.raises(StrokeError, match="was altered"):
        install(damaged)
    weights.write_bytes(b"nonsense")
    write_sums(damaged)
    with pytest.raises(StrokeError, match="no readable safetensors"):
        install(damaged)
    assert leftovers(store) == []


def test_a_store_that_cannot_be_made(made, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STROKE_MODELS", str(tmp_path / "file" / "store"))
    with pytest.raises(StrokeError, match="install the model"):
        install(made)


def test_a_full_disk_leaves_nothing(made, store, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.shutil, "copytree", full)
    with pytest.raises(StrokeError, match="disk is full"):
        install(made)
    assert leftovers(store) == []


def test_where_the_user_s_folder_lies(monkeypatch, tmp_path):
    assert user_folder() == tmp_path / "store"
    monkeypatch.delenv("STROKE_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", "linux")
    assert user_folder() == tmp_path / "data" / "StrokeInfarct" / "models"


def test_half_installed_models_are_not_listed(made, store):
    shutil.copytree(made, store / ".installing-x")
    assert user_bundles() == []
    assert ".installing-x" not in [p.name for p in bundle_folders()]
