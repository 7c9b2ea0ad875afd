"""The contract suite for adapters: subclass it, name a sample, and every promise of the protocol is tested.

    class TestPng(AdapterContract):
        format = "png"

        def sample(self) -> bytes:
            return Path("photo.png").read_bytes()

Needs pytest. Third-party adapters use it unchanged.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from aikz_label import Label, Limits, Refused, identity, mark, sniff, verify
from aikz_label.api import MarkResult
from aikz_label.config import Config, load_config
from aikz_label.label import Origin, Responsible, Role, System
from aikz_label.report import How, MarkerState, NoticeState, Verdict
from aikz_label.values import replace


class AdapterContract:
    """What every format must do. Override `format`, `sample` and `changed`; add `variants` freely.

    Attributes:
        format: Name in the format table.
        mirrored: The format holds an unsigned mirror.
        sidecar: The format has no place for a marker, which then is beside the file.
        notice: What `mark` is asked to do about the notice.
        cut_is_whole: A part of such a file is a file again, as with text: cut before its marker it has none.
        noticed: Files of the format can carry a notice; of others the best verdict is `incomplete`.
    """

    format: str
    mirrored = True
    sidecar = False
    notice = "auto"
    cut_is_whole = False
    noticed = True

    @property
    def best(self) -> Verdict:
        """The verdict of a file that was marked."""
        return Verdict.LABELLED if self.noticed else Verdict.INCOMPLETE

    def sample(self) -> bytes:
        """An unmarked file of the format."""
        raise NotImplementedError

    def changed(self, marked: bytes) -> bytes:
        """The marked file with its content changed and the marker left as it is: one bit, by default, near the end."""
        position = len(marked) - 40
        return marked[:position] + bytes([marked[position] ^ 1]) + marked[position + 1 :]

    def stripped(self, marked: bytes) -> bytes:
        """The marked file without marker and mirrors, content unchanged."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def own(cls, tmp_path_factory: pytest.TempPathFactory) -> Config:
        """An identity of our own."""
        folder = tmp_path_factory.mktemp("contract")
        party = Responsible(name="Contract", role=Role.HOLDER, registration="HRB 1", country="DE")
        identity.create(folder, party)
        return load_config(folder / "aikz-label.toml")

    @pytest.fixture(scope="class")
    @classmethod
    def label(cls) -> Label:
        """What is declared."""
        return Label(origin=Origin.ALTERED, system=System("Contract", "1"))

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls, own: Config, label: Label) -> MarkResult:
        """What marking the sample gave."""
        result = mark(cls().sample(), None, label, config=own, notice=cls.notice)
        assert (result.sidecar is not None) is cls.sidecar
        return result

    @pytest.fixture(scope="class")
    @classmethod
    def marked(cls, made: MarkResult) -> bytes:
        """The sample, labelled."""
        assert made.data is not None
        return made.data

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, made: MarkResult) -> bytes | None:
        """Its sidecar, if the format needs one."""
        return made.sidecar

    def on_disk(self, data: bytes, store: bytes | None, folder: Path) -> Path:
        """A file, and its sidecar beside it."""
        path = folder / "file"
        path.write_bytes(data)
        if store is not None:
            path.with_name("file.c2pa").write_bytes(store)
        return path

    def test_sniff_knows_it(self, marked: bytes) -> None:
        """Sample and result are recognised from their bytes."""
        for data in (self.sample(), marked):
            row = sniff(data)
            assert row is not None
            assert row.name == self.format
            assert row.supported

    def test_round_trip(
        self, marked: bytes, store: bytes | None, own: Config, label: Label
    ) -> None:
        """What was declared is read back, signed, perceivable and unambiguous."""
        report = verify(marked, sidecar=store, config=own)
        assert report.verdict is self.best
        assert report.format == self.format
        assert report.declared == replace(label, responsible=own.responsible)
        how = How.ATTESTED if self.noticed else How.NONE
        assert (report.marker_state, report.notice_how) == (MarkerState.TRUSTED, how)

    def test_measured_like_attested(self, marked: bytes, store: bytes | None, own: Config) -> None:
        """Measuring again agrees with the signer."""
        attested, measured = (
            verify(marked, sidecar=store, config=own),
            verify(marked, sidecar=store, config=own, measure=True),
        )
        how = How.MEASURED if self.noticed else How.NONE
        assert (measured.verdict, measured.notice_how) == (self.best, how)
        was, found = dict(attested.figures), dict(measured.figures)
        assert found.keys() == was.keys()
        for name, value in found.items():
            # whoever signs has heard the programme without a notice; whoever measures leaves out the moments around one
            near = 0.2 if name in {"programme_lufs", "louder_by"} else 0.02
            assert value == pytest.approx(was[name], abs=near), name

    def test_nobody_believed(self, marked: bytes, store: bytes | None) -> None:
        """Without a trust list the same file is incomplete, never labelled."""
        report = verify(marked, sidecar=store, trust=[])
        assert (report.verdict, report.marker_state) == (Verdict.INCOMPLETE, MarkerState.UNTRUSTED)
        assert report.notice_how is (How.MEASURED if self.noticed else How.NONE)

    def test_source_untouched(self, own: Config, label: Label, tmp_path: Path) -> None:
        """Bytes and time of the source stay."""
        path = tmp_path / "source"
        path.write_bytes(self.sample())
        before = path.stat().st_mtime_ns
        mark(path, tmp_path / "out", label, config=own, notice=self.notice)
        assert path.read_bytes() == self.sample()
        assert path.stat().st_mtime_ns == before

    def test_destination_at_its_end(self, own: Config, label: Label) -> None:
        """A stream is written once, whole, and left at its end."""
        out = io.BytesIO()
        result = mark(io.BytesIO(self.sample()), out, label, config=own, notice=self.notice)
        assert out.tell() == len(out.getvalue())
        assert verify(out, sidecar=result.sidecar, config=own).verdict is self.best

    def test_tampering(self, marked: bytes, store: bytes | None, own: Config) -> None:
        """Changed content is invalid."""
        assert verify(self.changed(marked), sidecar=store, config=own).verdict is Verdict.INVALID

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
    def test_truncation(
        self, marked: bytes, store: bytes | None, own: Config, share: float
    ) -> None:
        """A cut file is invalid or unreadable, never labelled and never an exception."""
        report = verify(marked[: int(len(marked) * share)], sidecar=store, config=own)
        allowed = {Verdict.INVALID, Verdict.UNREADABLE}
        if self.cut_is_whole:
            allowed |= {Verdict.INCOMPLETE, Verdict.UNMARKED}
        assert report.verdict in allowed

    def test_stripping(self, marked: bytes, own: Config) -> None:
        """Without marker and mirrors nothing is found, and that proves nothing."""
        report = verify(self.stripped(marked), config=own)
        assert report.verdict is Verdict.UNMARKED
        assert "limits.unmarked" in {limit.code for limit in report.limits}

    def test_second_mark(
        self, marked: bytes, store: bytes | None, own: Config, label: Label, tmp_path: Path
    ) -> None:
        """A marked file is refused by default, and can be updated or replaced."""
        path = self.on_disk(marked, store, tmp_path)
        with pytest.raises(Refused) as refusal:
            mark(path, None, label, config=own, notice=self.notice)
        assert refusal.value.code == "already-marked"
        for how in ("update", "replace"):
            again = mark(path, None, label, config=own, notice=self.notice, on_existing=how)
            assert again.report.verdict is self.best

    def test_tampered_parent(
        self, marked: bytes, store: bytes | None, own: Config, label: Label, tmp_path: Path
    ) -> None:
        """Updating never launders a file whose own marker does not hold."""
        path = self.on_disk(self.changed(marked), store, tmp_path)
        with pytest.raises(Refused) as refusal:
            mark(path, None, label, config=own, on_existing="update")
        assert refusal.value.code == "existing-invalid"

    def test_sidecar_on_request(self, own: Config, label: Label, tmp_path: Path) -> None:
        """Any format can have its marker beside it, and loses it to no other name."""
        out = tmp_path / "out"
        result = mark(self.sample(), out, label, config=own, notice=self.notice, sidecar="always")
        assert result.sidecar_path == tmp_path / "out.c2pa"
        report = verify(out, config=own)
        assert (report.verdict, report.marker.carrier) == (self.best, "sidecar")
        out.write_bytes(self.changed(out.read_bytes()))
        assert verify(out, config=own).verdict is Verdict.INVALID

    def test_no_notice(self, own: Config, label: Label) -> None:
        """Without a notice the reason is on record and the verdict stays incomplete."""
        result = mark(
            self.sample(), None, label, config=own, notice="none", notice_reason="player shows it"
        )
        assert result.report.verdict is Verdict.INCOMPLETE
        state = NoticeState.ABSENT if self.noticed else NoticeState.NOT_APPLICABLE
        assert result.report.notice_state is state
        assert result.report.marker.notice is not None
        assert result.report.marker.notice.reason == "player shows it"

    def test_mirror(self, marked: bytes, own: Config) -> None:
        """Software that reads no C2PA finds the same origin in the metadata."""
        origins = {mirror.origin for mirror in verify(marked, config=own).mirrors} - {None}
        assert origins == ({Origin.ALTERED} if self.mirrored else set())

    def test_limits(self, own: Config, label: Label, marked: bytes) -> None:
        """A cap that is reached is a refusal or `unreadable`, not a crash."""
        caps = Limits(max_bytes=100)
        with pytest.raises(Refused) as refusal:
            mark(self.sample(), None, label, config=own, caps=caps)
        assert refusal.value.code == "over-limit"
        assert verify(self.stripped(marked), caps=caps).verdict is Verdict.UNREADABLE

    def test_threads(self, own: Config, label: Label) -> None:
        """Eight threads share the adapter."""
        results: list[MarkResult] = []

        def work() -> None:
            results.append(mark(self.sample(), None, label, config=own, notice=self.notice))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.report.verdict for result in results] == [self.best] * 8
