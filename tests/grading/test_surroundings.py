"""A run imports what it needs of nbgrader, and not what takes longer than all the rest."""

import subprocess
import sys

import pytest

PROGRAM = """\
import sys
from cnnlab.grading.surroundings import import_jsonschema
import_jsonschema()
import_jsonschema()
import nbformat, nbgrader.api
nbformat.validate(nbformat.v4.new_notebook())
bad = nbformat.v4.new_notebook(); bad["metadata"]["kernelspec"] = {"name": 5}
try:
    nbformat.validate(bad)
except nbformat.ValidationError:
    print("refused")
print("rfc3987_syntax" in sys.modules, "lark" in sys.modules)
import rfc3987_syntax
print(rfc3987_syntax.is_valid_syntax("iri", "http://example.org"))
"""


def test_the_grammars_of_addresses_are_not_built_and_can_still_be_imported():
    pytest.importorskip("rfc3987_syntax")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["refused", "False", "False", "True"], done.stderr
