"""The parts of ``scripts/prove_checks.py``."""
