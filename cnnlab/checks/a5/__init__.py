"""Assignment 5, a network of your own."""

from cnnlab.checks.a5.train_own_cnn import TRAIN_OWN_CNN

EXERCISES = (TRAIN_OWN_CNN,)
