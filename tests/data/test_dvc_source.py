"""``dvc:path@rev`` in repositories that git and DVC made: what is pinned, proved, refused and missing."""

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

import pandas as pd
import pytest

from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    UnavailableError,
)
from systems.dvc_repository import DvcRepository
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows, still_version_1

pytestmark = pytest.mark.dvc

PIPELINE = """\
stages:
  prepare:
    wdir: work
    cmd: cp ../data/table.csv prepared.csv
    deps: [../data/table.csv]
    outs: [prepared.csv]
  each:
    foreach: [north, south]
    do:
      wdir: work
      cmd: cp ../data/table.csv ${item}.csv
      outs: ["${item}.csv"]
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A project and its remote: v1 and v2 of a file, a folder and a CSV, and a pipeline at v1."""
    place = tmp_path_factory.mktemp("story")
    made = DvcRepository.make(place / "project")
    for version in (1, 2):
        made.write("data/holdout.parquet", rows(version))
        made.write("data/parts/year=2022/a.parquet", rows(version)[:100])
        made.write("data/parts/year=2023/b.parquet", rows(version)[100:])
        made.write("data/parts/inner.csv", rows(version)[["id", "y"]])
        if version == 1:
            made.write("data/table.csv", rows(1)[["id", "y"]])
            (made.root / "work").mkdir()
            (made.root / "dvc.yaml").write_text(PIPELINE)
            made.dvc("add", "-q", "data/holdout.parquet", "data/parts", "data/table.csv")
            made.dvc("repro", "-q")
        else:
            made.dvc("add", "-q", "data/holdout.parquet", "data/parts")
        made.commit(f"version {version}")
        made.git("tag", f"v{version}")
        made.dvc("push", "-q")
    made.git("branch", "data/release", "v1")
    return place


@pytest.fixture
def project(story, tmp_path, monkeypatch):
    """A copy of it for one test, and a cache of its own."""
    shutil.copytree(story, tmp_path / "story")
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "model-gate-cache"))
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    return DvcRepository(tmp_path / "story" / "project")


def fails(project, source, kind=UnavailableError, **context):
    with pytest.raises(kind) as caught:
        opened(project.root, source, **context)
    return str(caught.value)


def remote(project) -> Path:
    return project.root.parent / "remote"


def without_cache(project):
    shutil.rmtree(project.root / ".dvc" / "cache")


def md5_of(project, rev, path="data/holdout.parquet.dvc"):
    (line,) = [
        line for line in project.git("show", f"{rev}:{path}").splitlines() if line.startswith("- md5: ")
    ]
    return line.removeprefix("- md5: ")


def stored(root, md5):
    path = root / "files" / "md5" / md5[:2] / md5[2:]
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return path


def flip(path):
    """Change one byte and nothing else."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


# What is pinned is what is read.


def test_the_pinned_commit_is_read_after_the_branch_moved(project):
    gate = VersionedGate(project.root, "dvc:data/holdout.parquet@data/release")
    still_version_1(gate, lambda: project.git("branch", "-f", "data/release", "v2"))
    commit = project.git("rev-parse", "v1").strip()
    assert gate.pinned.version == commit
    assert gate.judge().dataset.resolved == (
        f"dvc:data/holdout.parquet@{commit} (md5 {md5_of(project, 'v1')})"
    )
    assert gate.pin().dataset.rows == ROWS + 10


def test_the_pinned_commit_is_read_after_a_tag_moved_and_from_the_remote(project):
    without_cache(project)
    gate = VersionedGate(project.root, "dvc:data/parts@v1")
    still_version_1(gate, lambda: project.git("tag", "-f", "v1", "v2"))


def test_without_a_rev_the_pinned_hash_is_read_after_dvc_add(project):
    project.git("checkout", "-q", "v1")
    gate = VersionedGate(project.root, "dvc:data/holdout.parquet")
    still_version_1(gate, lambda: project.git("checkout", "-q", "main"))
    assert gate.pinned.version == f"md5:{md5_of(project, 'v1')}"
    assert gate.pin().dataset.rows == ROWS + 10


@pytest.mark.parametrize("path", ["data/parts", "data/parts/inner.csv"])
def test_without_a_rev_a_folder_and_a_file_in_it_too(project, path):
    project.git("checkout", "-q", "v1")
    gate = VersionedGate(project.root, f"dvc:{path}")
    still_version_1(gate, lambda: project.git("checkout", "-q", "main"))


def test_what_was_fetched_needs_no_remote_any_more(project):
    gate = VersionedGate(project.root, "dvc:data/parts@v1")
    gate.pin()
    without_cache(project)
    shutil.rmtree(remote(project))
    assert gate.judge().dataset.pin == "pinned"


def test_what_was_added_and_not_yet_committed_is_what_the_work_tree_says(project):
    project.write("data/holdout.parquet", rows(3))
    project.dvc("add", "-q", "data/holdout.parquet")
    assert opened(project.root, "dvc:data/holdout.parquet").rows == ROWS + 20
    assert opened(project.root, "dvc:data/holdout.parquet@main").rows == ROWS + 10


# Everything that DVC tracks can be named.


@pytest.mark.parametrize("rev", ["v1", "main~1", "{commit}", "{short}"])
def test_every_way_to_name_a_commit(project, rev):
    commit = project.git("rev-parse", "v1").strip()
    rev = rev.format(commit=commit, short=commit[:10])
    dataset = opened(project.root, f"dvc:data/holdout.parquet@{rev}")
    assert dataset.version == commit
    pd.testing.assert_frame_equal(everything(dataset), rows(1))


@pytest.mark.parametrize(
    "path",
    ["data/table.csv", "data/parts/inner.csv", "work/prepared.csv", "work/north.csv", "work/south.csv"],
)
@pytest.mark.parametrize("rev", ["", "@v1"])
def test_files_of_their_own_in_folders_and_of_pipelines(project, path, rev):
    if not rev:
        project.git("checkout", "-q", "v1")
    dataset = opened(project.root, f"dvc:{path}{rev}")
    pd.testing.assert_frame_equal(everything(dataset), rows(1)[["id", "y"]])


def test_a_folder_has_the_digest_that_it_has_on_disk(project):
    there, here = opened(project.root, "dvc:data/parts"), opened(project.root, "data/parts")
    assert there.digest == here.digest
    assert dict(there.columns)["year"] == "int64"
    assert there.resolved.endswith(f" (2 files, md5 {md5_of(project, 'v2', 'data/parts.dvc')})")


def test_the_project_may_lie_below_the_top_of_the_repository(project):
    dataset = opened(project.root / "data", "dvc:holdout.parquet@v1")
    assert (dataset.source, dataset.rows) == ("dvc:holdout.parquet@v1", ROWS)
    assert opened(project.root / "work", "dvc:../data/holdout.parquet@v1").digest == dataset.digest


def test_the_branch_of_the_origin_counts_where_ci_has_no_other(project, tmp_path):
    clone = tmp_path / "story" / "clone"
    project.git("clone", "-q", "--no-local", str(project.root), str(clone))
    there = DvcRepository(clone)
    there.git("checkout", "-q", "--detach", "v2")
    there.git("branch", "-D", "main")
    assert opened(clone, "dvc:data/holdout.parquet@main").rows == ROWS + 10
    assert opened(clone, "dvc:data/holdout.parquet@data/release").rows == ROWS


def test_an_import_is_read_from_where_it_is_kept(project, tmp_path):
    importer = DvcRepository.make(tmp_path / "story" / "importer")
    importer.dvc("import", "-q", "--rev", "v1", "../project", "data/holdout.parquet", "-o", "holdout.parquet")
    importer.commit("import")
    without_cache(importer)
    without_cache(project)
    assert opened(importer.root, "dvc:holdout.parquet").rows == ROWS
    assert opened(importer.root, "dvc:holdout.parquet@main").rows == ROWS


# The bytes are proved, which DVC does not do.


def test_a_remote_object_that_was_changed_keeping_its_size_is_refused(project):
    gate = VersionedGate(project.root, "dvc:data/holdout.parquet@v1")
    gate.pin()
    without_cache(project)
    shutil.rmtree(os.environ["MODEL_GATE_CACHE"])
    md5 = md5_of(project, "v1")
    object_ = stored(remote(project), md5)
    flip(object_)
    found = hashlib.md5(object_.read_bytes()).hexdigest()
    record = gate.judge()
    assert record.verdict.value == "invalid"
    assert findings(record)[0] == (
        f"data/holdout.parquet is damaged in the remote 'store' ({remote(project).as_posix()}): its md5 is "
        f"{found}, and DVC recorded {md5}.\n"
        f"  Delete {object_.as_posix()} and push it again from where it is whole: dvc push."
    )


def test_a_damaged_cache_of_dvc_is_passed_over_for_the_remote(project):
    flip(stored(project.root / ".dvc" / "cache", md5_of(project, "v1")))
    pd.testing.assert_frame_equal(everything(opened(project.root, "dvc:data/holdout.parquet@v1")), rows(1))


def test_a_damaged_list_of_a_folder_is_refused(project):
    without_cache(project)
    flip(stored(remote(project), md5_of(project, "v1", "data/parts.dvc")))
    message = fails(project, "dvc:data/parts@v1", InvalidError)
    assert message.startswith("the list of data/parts is damaged in the remote 'store' (")


def test_one_damaged_file_of_a_folder_is_refused(project):
    without_cache(project)
    md5 = md5_of(project, "v1", "data/parts.dvc")
    listed = json.loads(stored(remote(project), md5).read_bytes())
    (inner,) = [item["md5"] for item in listed if item["relpath"] == "year=2023/b.parquet"]
    flip(stored(remote(project), inner))
    message = fails(project, "dvc:data/parts@v1", InvalidError)
    assert message.startswith("data/parts/year=2023/b.parquet is damaged in the remote 'store' (")


def legacy(project, content):
    """Track a file as DVC 2 did: no ``hash``, line ends not told apart, and its older layout of remotes."""
    from dvc_data.hashfile.hash import file_md5

    path = project.root / "old.csv"
    path.write_bytes(content)
    md5 = file_md5(str(path), name="md5-dos2unix")
    target = remote(project) / md5[:2] / md5[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
    path.unlink()
    (project.root / "old.csv.dvc").write_text(
        f"outs:\n- md5: {md5}\n  size: {len(content)}\n  path: old.csv\n"
    )
    return md5, target


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_what_dvc_2_tracked_is_proved_as_dvc_2_hashed_it(project, line_end):
    content = line_end.join([b"id,y", b"1,0", b"2,1", b""])
    md5, target = legacy(project, content)
    assert everything(opened(project.root, "dvc:old.csv"))["y"].tolist() == [0, 1]
    # DVC itself agrees that this is what it means.
    project.dvc("pull", "-q", "old.csv")
    assert (project.root / "old.csv").read_bytes() == content
    shutil.rmtree(project.root / ".dvc" / "cache")
    shutil.rmtree(os.environ["MODEL_GATE_CACHE"])
    target.chmod(0o644)
    target.write_bytes(content.replace(b"2,1", b"2,0"))
    message = fails(project, "dvc:old.csv", InvalidError)
    assert message.startswith(
        f"old.csv is damaged in the remote 'store' ({remote(project).as_posix()}): its md5"
    )
    assert f"DVC recorded {md5}." in message


# What can go wrong.


def test_a_remote_whose_folder_is_gone(project):
    md5 = md5_of(project, "v1")
    shutil.rmtree(project.root / ".dvc" / "cache")
    shutil.rmtree(remote(project))
    assert fails(project, "dvc:data/holdout.parquet@v1") == (
        f"data/holdout.parquet (md5 {md5}) is not in the DVC cache, and the folder of the remote 'store' "
        f"({remote(project).as_posix()}) is not there.\n"
        "  Mount it, or correct its address: dvc remote modify store url PATH. "
        "If nothing was pushed there yet: dvc push."
    )


def test_an_object_that_is_nowhere(project):
    without_cache(project)
    md5 = md5_of(project, "v1")
    stored(remote(project), md5).unlink()
    assert fails(project, "dvc:data/holdout.parquet@v1") == (
        f"data/holdout.parquet (md5 {md5}) is not in the DVC cache "
        f"({(project.root / '.dvc' / 'cache').as_posix()}) nor in the remote 'store' "
        f"({remote(project).as_posix()}).\n"
        "  Fetch it where it is (dvc fetch), or push it from where it was added (dvc push)."
    )


def test_no_remote_to_ask(project):
    without_cache(project)
    project.dvc("config", "-u", "core.remote")
    assert fails(project, "dvc:data/holdout.parquet@v1").endswith(
        "/.dvc/cache).\n"
        "  There is no default remote to ask: dvc remote default NAME, or fetch it (dvc fetch)."
    )


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"url": "gs://bucket/x"}, "is at gs://bucket/x, and only folders and S3 are opened without DVC"),
        (
            {"url": "s3://bucket/x", "version_aware": "true"},
            "keeps files under their own names and relies on the versions of the store",
        ),
    ],
)
def test_a_remote_that_is_not_opened_here(project, settings, why):
    for key, value in settings.items():
        project.dvc("remote", "modify", "-q", "store", key, value)
    assert opened(project.root, "dvc:data/holdout.parquet@v1").rows == ROWS  # it is in the cache
    shutil.rmtree(os.environ["MODEL_GATE_CACHE"])
    without_cache(project)
    assert fails(project, "dvc:data/holdout.parquet@v1") == (
        f"data/holdout.parquet (md5 {md5_of(project, 'v1')}) is not in the DVC cache, and the remote 'store' "
        f"{why}.\n"
        "  Let DVC put it into the cache first: dvc fetch --all-commits, or dvc fetch at that commit."
    )


def test_names_that_are_not_there(project):
    assert fails(project, "dvc:data/holdout.parquet@v11") == (
        "'dvc:data/holdout.parquet@v11': there is no branch, tag or commit 'v11' in this clone.\n"
        "  Did you mean 'v1'?"
    )
    commit = project.git("rev-parse", "v1").strip()
    assert fails(project, "dvc:data/holdotu.parquet@v1") == (
        f"'dvc:data/holdotu.parquet@v1': DVC does not track data/holdotu.parquet at commit {commit[:12]}.\n"
        "  Did you mean 'data/holdout.parquet'?"
    )
    assert fails(project, "dvc:dvc.yaml") == (
        "'dvc:dvc.yaml': dvc.yaml is a file of git in the work tree, and DVC does not track it.\n"
        "  Write dvc.yaml itself, or let DVC track it: dvc add dvc.yaml."
    )
    assert fails(project, "dvc:data/parts/inn.csv@v1") == (
        "'dvc:data/parts/inn.csv@v1': the folder data/parts that DVC tracks holds no inn.csv.\n"
        "  Did you mean 'inner.csv'?"
    )


def test_paths_with_an_at_sign_with_blanks_and_umlauts(project):
    names = ["data/2023@north/x.csv", "data/größe der kredite.csv"]
    for name in names:
        project.write(name, rows(1)[["id", "y"]])
    project.dvc("add", "-q", *names)
    project.commit("names")
    assert opened(project.root, "dvc:data/größe der kredite.csv@main").rows == ROWS
    assert opened(project.root, "dvc:data/größe der kredite.csv").rows == ROWS
    source = "dvc:data/2023@north/x.csv"
    assert fails(project, source) == (
        f"'{source}': there is no branch, tag or commit 'north/x.csv' in this clone.\n"
        f"  If the '@' belongs to the path, write one more at its end: {source}@."
    )
    assert opened(project.root, f"{source}@").rows == ROWS
    assert opened(project.root, f"{source}@main").rows == ROWS


def test_a_checkout_of_another_user(project, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert fails(project, "dvc:data/holdout.parquet", EvaluationError) == (
        "'dvc:data/holdout.parquet' cannot be opened: git says: detected dubious ownership in repository at "
        f"'{project.root.as_posix()}'.\n  Run: git config --global --add safe.directory '*'."
    )


def test_a_pinned_commit_that_a_shallow_clone_lacks(project, tmp_path):
    gate = VersionedGate(project.root, "dvc:data/holdout.parquet@data/release")
    gate.pin()
    commit = gate.pinned.version
    clone = tmp_path / "story" / "shallow"
    project.git("clone", "-q", "--depth", "1", "--branch", "main", project.root.as_uri(), str(clone))
    source = "dvc:data/holdout.parquet@data/release"
    there = DvcRepository(clone)
    assert fails(there, source, pinned_versions={source: commit}) == (
        f"'{source}' is pinned at commit {commit[:12]}, which is not in this clone.\n"
        "  This clone is shallow: git fetch --unshallow."
    )
    there.git("fetch", "-q", "--unshallow", "--tags")
    assert opened(clone, source, pinned_versions={source: commit}).rows == ROWS
    gone = "0" * 40
    assert fails(there, source, pinned_versions={source: gone}) == (
        f"'{source}' is pinned at commit {gone[:12]}, which is not in this clone.\n"
        "  Fetch the branch that it was on, or agree to what the name means now: run `model-gate pin` (or "
        "`pytest --gate-pin`)."
    )


def test_files_of_dvc_that_cannot_be_read(project):
    recorded = project.root / "data" / "holdout.parquet.dvc"
    recorded.write_text("<<<<<<< HEAD\nouts:\n- path: holdout.parquet\n=======\n>>>>>>> other\n")
    assert fails(project, "dvc:data/holdout.parquet", InvalidError) == (
        "'dvc:data/holdout.parquet' cannot be opened: data/holdout.parquet.dvc holds a merge conflict.\n"
        "  Resolve the conflict."
    )
    assert opened(project.root, "dvc:data/holdout.parquet@v1").rows == ROWS
    (project.root / ".dvc" / "config.local").write_text("nonsense")
    assert fails(project, "dvc:data/holdout.parquet@v1", InvalidError) == (
        "'dvc:data/holdout.parquet@v1' cannot be opened: config.local of DVC cannot be read (File contains "
        "no section headers.).\n  Repair it: dvc config --list shows what DVC makes of it."
    )


def test_places_that_are_no_repository(project, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(UnavailableError) as caught:
        opened(tmp_path / "plain", "dvc:x.parquet")
    assert str(caught.value) == (
        f"'dvc:x.parquet' cannot be opened: {(tmp_path / 'plain').as_posix()} is in no git repository.\n"
        "  Run the gate in a checkout: DVC keeps what it knows in git."
    )
    shutil.rmtree(project.root / ".dvc")
    assert fails(project, "dvc:data/holdout.parquet").startswith(
        "'dvc:data/holdout.parquet' cannot be opened: there is no .dvc folder in "
    )


@pytest.mark.parametrize("source", ["dvc:", "dvc:@v1", "dvc:https://example.com/x@v1", "dvc:x@--output=y"])
def test_sources_that_name_nothing(project, source):
    assert fails(project, source, ConfigurationError) == (
        f"'{source}' names nothing that DVC tracks in this repository.\n"
        "  Write dvc:path, or dvc:path@rev with a branch, a tag or a commit; what another repository tracks "
        "is imported first: dvc import."
    )


def test_a_name_that_says_nothing(project):
    (project.root / "data" / "x.bin").write_bytes(b"x")
    project.dvc("add", "-q", "data/x.bin")
    assert "the suffix '.bin' says nothing" in fails(project, "dvc:data/x.bin", EvaluationError)


def test_git_that_is_not_installed(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert fails(project, "dvc:data/holdout.parquet") == (
        "'dvc:data/holdout.parquet' needs the program git, which is not on the PATH.\n  Install git."
    )


# A remote in a bucket.


@pytest.mark.seaweedfs
class TestS3Remote:
    @pytest.fixture
    def bucket(self, project, seaweed):
        bucket = seaweed.bucket(versioned=False)
        project.dvc("remote", "add", "-q", "-d", "bucket", f"s3://{bucket.name}/some/store")
        project.dvc("remote", "modify", "-q", "bucket", "endpointurl", seaweed.endpoint)
        return bucket

    def key(self, project):
        md5 = md5_of(project, "main")
        return f"some/store/files/md5/{md5[:2]}/{md5[2:]}"

    def test_it_is_read_with_what_the_configuration_of_dvc_says(self, project, bucket, seaweed, monkeypatch):
        project.dvc("push", "-q")
        without_cache(project)
        # The address and the keys are those of the remote, not those of the environment.
        project.dvc("remote", "modify", "-q", "--local", "bucket", "access_key_id", "AKIATEST")
        project.dvc("remote", "modify", "-q", "--local", "bucket", "secret_access_key", "seaweed-secret")
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        assert opened(project.root, "dvc:data/holdout.parquet@main").rows == ROWS + 10
        assert opened(project.root, "dvc:data/parts@main").rows == ROWS + 10
        shutil.rmtree(os.environ["MODEL_GATE_CACHE"])

        content = bytearray(
            bucket.client.get_object(Bucket=bucket.name, Key=self.key(project))["Body"].read()
        )
        content[len(content) // 2] ^= 1
        bucket.put(self.key(project), bytes(content))
        assert fails(project, "dvc:data/holdout.parquet@main", InvalidError) == (
            f"data/holdout.parquet is damaged in the remote 'bucket' (s3://{bucket.name}/some/store/): its "
            f"md5 is {hashlib.md5(content).hexdigest()}, and DVC recorded {md5_of(project, 'main')}.\n"
            f"  Delete s3://{bucket.name}/{self.key(project)} and push it again from where it is whole: "
            "dvc push."
        )
        bucket.delete(self.key(project))
        message = fails(project, "dvc:data/holdout.parquet@main")
        assert f" nor in the remote 'bucket' (s3://{bucket.name}/some/store/).\n" in message

    def test_a_wrong_credential_and_a_dead_server(self, project, bucket, seaweed, monkeypatch):
        without_cache(project)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret-and-wrong")
        assert fails(project, "dvc:data/holdout.parquet@main") == (
            f"The S3 server {seaweed.endpoint} refused to open 'dvc:data/holdout.parquet@main': it found the "
            "secret key wrong.\n  Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
        project.dvc("remote", "modify", "-q", "bucket", "endpointurl", "http://127.0.0.1:9")
        assert fails(project, "dvc:data/holdout.parquet@main") == (
            "The S3 server http://127.0.0.1:9 cannot be reached, so 'dvc:data/holdout.parquet@main' could "
            "not be opened.\n  Start it, or correct endpointurl of the remote 'bucket' in .dvc/config (or "
            "AWS_ENDPOINT_URL). MODEL_GATE_TIMEOUT sets how many seconds to wait."
        )
