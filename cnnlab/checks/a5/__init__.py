"""Assignment 5, a network of your own."""

from cnnlab.checks.a5.train_own_cnn import TRAIN_OWN_CNN
from cnnlab.checks.model import ByHand

EXERCISES = (TRAIN_OWN_CNN,)
BY_HAND = (ByHand("a5.explain_network", "Explain your network", 3),)
