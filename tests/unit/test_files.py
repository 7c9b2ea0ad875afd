from __future__ import annotations

import os
import stat

import pytest

from aikz_label import files
from aikz_label.errors import OutputExists, SourceError, UsageError
from aikz_label.files import output


@pytest.fixture(params=["unnamed", "named"])
def _both_ways(request, monkeypatch):
    """With O_TMPFILE where there is one, and as on systems without it."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


@pytest.mark.usefixtures("_both_ways")
class TestOutput:
    def test_appears_whole(self, tmp_path):
        path = tmp_path / "out"
        with output.atomic_output(path) as stream:
            stream.write(b"half")
            assert not path.exists()
            stream.write(b" whole")
        assert path.read_bytes() == b"half whole"
        assert os.listdir(tmp_path) == ["out"]

    def test_an_error_leaves_nothing(self, tmp_path):
        path = tmp_path / "out"
        with pytest.raises(KeyboardInterrupt), output.atomic_output(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt
        assert os.listdir(tmp_path) == []

    def test_never_replaces_unasked(self, tmp_path):
        path = tmp_path / "out"
        path.write_bytes(b"old")
        with pytest.raises(OutputExists), output.atomic_output(path):
            pytest.fail("it must not come this far")
        assert path.read_bytes() == b"old"

    def test_never_replaces_what_appears_meanwhile(self, tmp_path):
        path = tmp_path / "out"
        with pytest.raises(OutputExists), output.atomic_output(path) as stream:
            stream.write(b"ours")
            path.write_bytes(b"theirs")
        assert path.read_bytes() == b"theirs"
        assert os.listdir(tmp_path) == ["out"]

    def test_replaces_when_asked(self, tmp_path):
        path = tmp_path / "out"
        path.write_bytes(b"old")
        with output.atomic_output(path, overwrite=True) as stream:
            stream.write(b"new")
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["out"]

    def test_the_umask_decides_who_reads_it(self, tmp_path):
        path = tmp_path / "out"
        with output.atomic_output(path) as stream:
            stream.write(b"x")
        plain = tmp_path / "plain"
        plain.write_bytes(b"x")
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)

    def test_a_missing_folder_is_an_error(self, tmp_path):
        with (
            pytest.raises(UsageError, match="no folder"),
            output.atomic_output(tmp_path / "no" / "out"),
        ):
            pytest.fail("it must not come this far")

    def test_a_folder_is_no_destination(self, tmp_path):
        with pytest.raises(UsageError), output.atomic_output(tmp_path, overwrite=True):
            pytest.fail("it must not come this far")


class TestSource:
    def test_a_fifo_does_not_hang(self, tmp_path):
        path = tmp_path / "fifo"
        os.mkfifo(path)
        with pytest.raises(SourceError, match="not a regular file"), files.open_source(path):
            pytest.fail("it must not come this far")

    def test_a_link_is_not_followed(self, tmp_path):
        (tmp_path / "real").write_bytes(b"x")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with (
            pytest.raises(SourceError, match="symbolic link"),
            files.open_source(tmp_path / "link"),
        ):
            pytest.fail("it must not come this far")

    def test_a_folder_and_a_device_are_no_files(self, tmp_path):
        for path in (tmp_path, files.Path(os.devnull)):
            with pytest.raises(SourceError), files.open_source(path):
                pytest.fail("it must not come this far")

    def test_far_behind_its_end_there_is_nothing(self, tmp_path):
        path = tmp_path / "source"
        path.write_bytes(b"short")
        with files.open_source(path) as stream:
            for place in (6, 1 << 44, 1 << 62, 1 << 64, 1 << 90):
                stream.seek(place)
                assert stream.read(10) == b""
            stream.seek(1)
            assert stream.read() == b"hort"

    def test_a_change_meanwhile_is_noticed(self, tmp_path):
        path = tmp_path / "source"
        path.write_bytes(b"before")
        with (
            pytest.raises(SourceError, match="changed") as error,
            files.open_source(path) as stream,
        ):
            stream.read()
            path.write_bytes(b"after!!")
        assert error.value.code == "source-changed"

    def test_an_error_inside_is_not_replaced(self, tmp_path):
        path = tmp_path / "source"
        path.write_bytes(b"before")
        with pytest.raises(ZeroDivisionError), files.open_source(path):
            path.write_bytes(b"after!!")
            raise ZeroDivisionError


def test_source_and_destination_are_two_files(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x")
    (tmp_path / "hard").hardlink_to(path)
    for other in (path, tmp_path / "hard", tmp_path / "." / "a"):
        with pytest.raises(UsageError):
            output.check_not_source(path, other)
    output.check_not_source(path, tmp_path / "b")


def test_spooling_takes_one_byte_more_than_the_limit(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"x" * 1000)
    with path.open("rb") as stream, files.spool(stream, 100) as copy:
        assert len(copy.read()) == 101
