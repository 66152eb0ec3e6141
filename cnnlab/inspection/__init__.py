"""Looking into a network: what each layer costs and sees, and whether its gradients are right."""

from cnnlab.inspection.findings import GradientCheck, GradientCheckError, GradientFinding
from cnnlab.inspection.gradients import gradient_check
from cnnlab.inspection.table import LayerSummary, Summary, summary

__all__ = [
    "GradientCheck",
    "GradientCheckError",
    "GradientFinding",
    "LayerSummary",
    "Summary",
    "gradient_check",
    "summary",
]
