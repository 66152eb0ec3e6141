"""Looking into a network: what each layer costs and sees, and whether its gradients are right."""

from cnnlab.inspection.findings import GradientCheck, GradientCheckError, GradientFinding
from cnnlab.inspection.gradients import gradient_check

__all__ = ["GradientCheck", "GradientCheckError", "GradientFinding", "gradient_check"]
