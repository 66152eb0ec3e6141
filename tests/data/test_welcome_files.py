"""The shipped files: the listening recordings, what the build tool would write, and that they are found in a wheel."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cnnlab.data import load_welcome_recordings, log_mel
from cnnlab.data.audio import FLOOR
from cnnlab.data.welcome._files import clips, read

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "cnnlab" / "data" / "welcome"


@pytest.fixture(scope="module")
def tool():
    """The build script as a module."""
    path = ROOT / "scripts" / "build_welcome.py"
    if not path.exists():
        pytest.skip("scripts/ is not part of this copy")
    spec = importlib.util.spec_from_file_location("build_welcome", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_welcome"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["build_welcome"]


def test_recordings_are_sound_and_its_spectrogram():
    recordings = load_welcome_recordings()
    assert 6 <= len(recordings) <= 8
    for r in recordings:
        assert r.wave.shape == (32000,)
        assert r.wave.dtype == np.float32
        assert r.sample_rate == 8000
        assert 0.2 < np.abs(r.wave).max() < 1  # audible, and nothing clipped
        np.testing.assert_array_equal(r.x, log_mel(r.wave))
        assert r.x.shape == (20, 200)


def test_truth_is_given_exactly_where_welcome_is_said():
    recordings = load_welcome_recordings()
    for r in recordings:
        assert (r.start is not None) == (r.stop is not None) == ("welcome" in r.transcript.split())
        if r.start is not None:
            assert 0 <= r.start < r.stop <= 4
            assert 0.4 < r.stop - r.start < 1
    starts = [r.start for r in recordings if r.start is not None]
    assert min(starts) < 0.5
    assert max(starts) > 3
    assert any(r.split == "other" for r in recordings)
    assert any(r.start is None and {"become", "outcome"} <= set(r.transcript.split()) for r in recordings)


def test_word_is_louder_than_the_pause_before_it():
    for r in load_welcome_recordings():
        if r.start is not None:
            first, last = int(r.start * 8000), int(r.stop * 8000)
            assert (r.wave[first:last] ** 2).mean() > 2 * (r.wave[first - 400 : first] ** 2).mean()


def test_files_are_small_and_hold_no_objects():
    for name in ("clips.npz", "recordings.npz"):
        assert (FOLDER / name).stat().st_size < 700_000
        assert all(array.dtype.kind in "uifU" for array in read(name).values())


def test_stored_levels_are_steps_above_the_floor():
    stored = read("clips.npz")
    expected = np.log(1e-3) + 0.4 * stored["levels"].astype(float)
    np.testing.assert_allclose(np.log(clips().power + FLOOR), expected, atol=1e-4)


def test_files_hold_what_the_build_tool_says(tool):
    stored = clips()
    assert stored.words == tool.WORDS
    assert stored.voices == tuple(person.name for person in tool.speakers())
    assert stored.splits == tuple(person.split for person in tool.speakers())
    assert [r.label for r in load_welcome_recordings()] == [script.label for script in tool.RECORDINGS]
    assert (float(read("clips.npz")["step"]), stored.floor) == (tool.STEP, FLOOR)


def test_synthesizer_says_again_what_is_stored(tool):
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed")
    if "1.51" not in subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("the clips were made with espeak-ng 1.51")
    stored, levels = clips(), read("clips.npz")["levels"]
    for speaker, word in ((0, 0), (17, 4), (51, 35)):
        clip = stored.table[speaker, word]
        again = tool.clip_levels(tool.speak(tool.speakers()[speaker], tool.WORDS[word]))
        kept = levels[stored.first[clip] : stored.first[clip + 1]].astype(int)
        assert again.shape == kept.shape
        assert np.abs(again - kept).max() <= 1  # another FFT may round the other way


def test_data_are_found_inside_a_zipped_package(tmp_path):
    """No file path is assumed: the package is imported from an archive."""
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("cnnlab/__init__.py", "")
        for path in FOLDER.parent.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                package.write(path, path.relative_to(ROOT))
    program = (
        "from cnnlab import data; "
        "print(data.__file__, data.load_welcome('test', 2).x.shape, len(data.load_welcome_recordings()), "
        "data.load_digits().x.shape, *[photo.name for photo in data.load_photos()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "site.zip" in done.stdout
    assert "(2, 20, 200)" in done.stdout
    assert "(1415, 1, 8, 8) chelsea coffee" in done.stdout


def test_importing_the_data_loads_nothing_else_of_the_package():
    program = (
        "import sys, cnnlab.data; "
        "print(*sorted(m for m in sys.modules if m.startswith('cnnlab.') and not m.startswith('cnnlab.data'))); "
        "print(*sorted({'scipy', 'matplotlib', 'PIL', 'pooch', 'requests', 'cupy', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
