"""The page with all demos runs."""


def test_it_complains_about_nothing(run_lecture):
    assert run_lecture("demos", nothing="0").complaints == ""
