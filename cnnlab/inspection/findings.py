"""What a gradient check found, as data and as a report."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan


class GradientCheckError(ValueError):
    """A gradient is wrong, and the check was strict; `result` holds the findings."""

    def __init__(self, result: GradientCheck) -> None:
        super().__init__(repr(result))
        self.result = result


@dataclass(frozen=True)
class GradientFinding:
    """What the check found about the gradient to one input or parameter.

    Attributes
    ----------
    name
        The input or parameter.
    ok
        Whether the gradient is right.
    error
        Largest difference between a slope by backward and the measured one, relative to the largest slope; NaN where
        nothing could be compared.
    message
        What is wrong; empty if nothing is.
    """

    name: str
    ok: bool
    error: float
    message: str = ""


@dataclass(frozen=True)
class GradientCheck:
    """The findings of `gradient_check`; true where all gradients are right.

    Attributes
    ----------
    label
        What was checked.
    findings
        One for each input and parameter.
    unchecked
        Floating-point inputs for which backward returns no gradient.
    redraws
        How often a direction was drawn anew because of a kink.
    """

    label: str
    findings: tuple[GradientFinding, ...]
    unchecked: tuple[str, ...] = ()
    redraws: int = 0

    @property
    def ok(self) -> bool:
        """Whether all gradients are right."""
        return all(finding.ok for finding in self.findings)

    @property
    def wrong(self) -> tuple[str, ...]:
        """Names of the inputs and parameters whose gradient is not right."""
        return tuple(finding.name for finding in self.findings if not finding.ok)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        bad = len(self.wrong)
        verdict = "all gradients right" if not bad else f"{bad} of {len(self.findings)} gradients wrong"
        width = max((len(finding.name) for finding in self.findings), default=0)
        lines = [f"gradient check of {self.label}: {verdict}"]
        for finding in self.findings:
            error = "" if isnan(finding.error) else f"  relative error {finding.error:.1e}"
            lines.append(f"  {finding.name:<{width}}  {'right' if finding.ok else 'WRONG'}{error}")
            if finding.message:
                lines.append(f"  {'':<{width}}  {finding.message}")
        if self.unchecked:
            lines.append(f"  not checked, since backward returns no gradient for it: {', '.join(self.unchecked)}")
        if self.redraws:
            lines.append(f"  ({self.redraws} directions drawn anew near a kink)")
        return "\n".join(lines)
