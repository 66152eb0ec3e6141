"""Training and prediction in mini-batches."""

from cnnlab.train.checkpoint import Checkpoint, CheckpointError
from cnnlab.train.early_stop import EarlyStop
from cnnlab.train.history import History
from cnnlab.train.loop import fit
from cnnlab.train.metrics import accuracy, binary_accuracy
from cnnlab.train.prediction import evaluate, predict
from cnnlab.train.recorded import NotRecordedError, RecordedStep

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "EarlyStop",
    "History",
    "NotRecordedError",
    "RecordedStep",
    "accuracy",
    "binary_accuracy",
    "evaluate",
    "fit",
    "predict",
]
