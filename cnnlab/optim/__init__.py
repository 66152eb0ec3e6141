"""Optimizers, from gradients to the next parameter values, and schedules of their learning rate."""

from cnnlab.optim.adam import Adam, AdamW
from cnnlab.optim.base import Optimizer
from cnnlab.optim.schedule import CosineAnnealingLR, Schedule, StepLR
from cnnlab.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "CosineAnnealingLR", "Optimizer", "Schedule", "StepLR"]
