"""Where the hidden seed comes from, and what is said when it is no secret."""

import pytest

from cnnlab.checks import hidden_seed


@pytest.fixture(autouse=True)
def no_seed_around(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNLAB_HIDDEN_SEED", raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_a_secret_the_seed_is_public():
    seed, is_public = hidden_seed()
    assert is_public
    assert hidden_seed() == (seed, True)


def test_the_environment_comes_first(monkeypatch, tmp_path):
    (tmp_path / "secret.toml").write_text("hidden_seed = 5\n")
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "77")
    assert hidden_seed(tmp_path) == (77, False)
    assert hidden_seed() == (77, False)


def test_words_are_seeds_too(monkeypatch):
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "autumn")
    seed, is_public = hidden_seed()
    assert seed > 2**32
    assert not is_public
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "spring")
    assert hidden_seed()[0] != seed


def test_the_secret_file_is_found_from_the_course_or_from_below(monkeypatch, tmp_path):
    below = tmp_path / "course" / "autograded" / "student" / "a1"
    below.mkdir(parents=True)
    (tmp_path / "course" / "secret.toml").write_text('hidden_seed = "1234"\n')
    assert hidden_seed(tmp_path / "course") == (1234, False)
    monkeypatch.chdir(below)
    assert hidden_seed() == (1234, False)
    monkeypatch.chdir(tmp_path)
    assert hidden_seed() == (1234, False)


def test_a_secret_file_without_a_seed_is_an_error(tmp_path):
    (tmp_path / "secret.toml").write_text("seed = 5\n")
    with pytest.raises(ValueError, match="hidden_seed = 123"):
        hidden_seed(tmp_path)
