"""The modules of this folder find each other; test modules are imported by their paths."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
