"""Students' processes that are no processes: each plays a script, and time is counted instead of waited for.

A `Stage` stands in for the system calls that `cnnlab.grading.process` and `cnnlab.grading.session` make. What a puppet
says is bytes, so everything above the system calls is the grader's own code.
"""

import itertools
import struct
from types import SimpleNamespace

import numpy as np

from cnnlab.checks import exercises
from cnnlab.grading import wire
from cnnlab.grading.process import StudentProcess

LENGTHS = struct.Struct(">IQ")
END = object()
# What a read and a look at a descriptor take, so that a stream without an end takes time.
_TICK = 1e-4
_PIECE = 1 << 16


def frame_of(message, values=(), payload=b""):
    """Return a frame with anything as its message and any JSON trees as its values."""
    import json

    text = json.dumps({"message": message, "values": list(values)}).encode()
    return LENGTHS.pack(len(text), len(payload)) + text + payload


class Stage:
    """Clock and descriptors of some puppets."""

    def __init__(self):
        self.now = 1000.0
        self.puppets = {}
        self.largest = 0

    def patch(self, patcher):
        """Put the stage in the place of the system, for process and session."""
        clock = SimpleNamespace(monotonic=self.monotonic)
        system = SimpleNamespace(read=self.read, write=self.write)
        patcher.setattr("cnnlab.grading.process.time", clock)
        patcher.setattr("cnnlab.grading.session.time", clock)
        patcher.setattr("cnnlab.grading.process.select", SimpleNamespace(select=self.select))
        patcher.setattr("cnnlab.grading.process.os", system)

    def monotonic(self):
        return self.now

    def select(self, reading, writing, _, seconds):
        self.now += _TICK
        if writing:
            if self.puppets[writing[0]].is_deaf:
                self.now += seconds
                return [], [], []
            return [], writing, []
        return (reading if self.puppets[reading[0]].has_something(seconds) else []), [], []

    def read(self, descriptor, size):
        self.now += _TICK
        puppet = self.puppets[descriptor]
        if not puppet.has_something(0.0):
            raise BlockingIOError
        piece = bytes(puppet.said[: min(size, _PIECE)])
        del puppet.said[: len(piece)]
        self.largest = max(self.largest, len(puppet._unread))
        return piece

    def write(self, descriptor, data):
        self.now += _TICK
        if self.puppets[descriptor].is_deaf:
            raise BlockingIOError
        self.puppets[descriptor].hear(bytes(data))
        return len(data)


class Puppet(StudentProcess):
    """One student's process.

    ``play`` is called with the puppet and yields what it does: bytes are said, a number is a pause in seconds, None
    waits for the next frame of the grader (then the last of ``heard``), and END closes the connection.
    """

    def __init__(self, stage, play):
        number = 1000 + len(stage.puppets)
        super().__init__(number, number, own_user=True)
        stage.puppets[number] = self
        self.stage = stage
        self.said = bytearray()
        self.heard = []
        self.is_deaf = False
        self.closed = 0
        self._inbox = bytearray()
        self._play = play(self)
        self._is_over = self._waits = self._has_left = False
        self._pause = 0.0

    def hear(self, data):
        if self._has_left:
            raise BrokenPipeError
        self._inbox += data

    def has_something(self, seconds):
        """Play on for so long, or until there is something to read."""
        stop = self.stage.now + seconds
        while not self.said and not self._has_left:
            if self._pause:
                if self._pause > stop:
                    self.stage.now = max(self.stage.now, stop)
                    return False
                self.stage.now, self._pause = max(self.stage.now, self._pause), 0.0
            if self._is_over or (self._waits and not self._listen()):
                self.stage.now = max(self.stage.now, stop)
                return False
            self._go_on()
        return True

    def _go_on(self):
        step = next(self._play, self)
        if step is self:
            self._is_over = True
        elif step is END:
            self._has_left = True
        elif step is None:
            self._waits = True
        elif isinstance(step, float):
            self._pause = self.stage.now + step
        else:
            self.said += step
            self._pause = 0.0 if step else self.stage.now + _TICK

    def _listen(self):
        """Take one frame out of what has come; the grader sends whole ones."""
        if not self._inbox:
            return False
        inbox = memoryview(bytes(self._inbox))
        position = 0

        def read(size):
            nonlocal position
            position += size
            assert position <= len(inbox)
            return bytes(inbox[position - size : position])

        self.heard.append(wire.read_frame(read))
        del self._inbox[:position]
        self._waits = False
        return True

    def has_ended(self):
        return not self._unread and self.has_something(0.0) and not self.said

    def complaint(self):
        return ""

    def how_it_ended(self):
        return "the process ended itself with status 3"

    def close(self):
        self.closed += 1


class PuppetExecutor:
    """Starts puppets in the place of sandboxes."""

    name = "puppets"
    isolated = True
    peak_kib = 0

    def __init__(self, stage, script, *, copies):
        self.stage = stage
        self.copies = copies
        self._script = script

    def start(self, limits, copies=0, *, allows=frozenset()):
        del limits, allows
        self.stage.now += 0.05
        plays = [self._script.main, *itertools.repeat(self._script.copy, copies)]
        return tuple(Puppet(self.stage, play) for play in plays)

    def close(self):
        pass


FUNCTIONS = {function.name: function for exercise in exercises("a1") for function in exercise.functions}


def right_answer(message, arguments):
    """Return the frame of an honest process: the reference's answer."""
    value = FUNCTIONS[message["function"]].reference(*arguments)
    return wire.pack({"result": True, "changed": []}, [np.asarray(value)])


class Script:
    """What the puppets of one submission do.

    Parameters
    ----------
    victims
        Functions that do not answer honestly.
    cell
        Steps in the place of the report on the first cell, or None; each is as in `Puppet`, or a function of the
        honest frame that returns such a step.
    answer
        Such steps in the place of an answer, or None.
    """

    def __init__(self, victims, *, cell=None, answer=None):
        self.victims, self.cell, self.answer = victims, cell, answer

    def main(self, puppet):
        yield None
        message, _ = puppet.heard[-1]
        yield wire.pack({"hello": 7})
        for number, cell in enumerate(message["cells"]):
            honest = wire.pack({"cell": cell["index"], "error": None, "stdout": "", "stderr": ""})
            yield from _steps(self.cell if number == 0 else None, honest)
        yield from self._answers(puppet)

    def copy(self, puppet):
        yield wire.pack({"hello": 8})
        yield from self._answers(puppet)

    def _answers(self, puppet):
        while True:
            yield None
            message, arguments = puppet.heard[-1]
            honest = right_answer(message, arguments)
            yield from _steps(self.answer if message["function"] in self.victims else None, honest)


def _steps(steps, honest):
    if steps is None:
        yield honest
        return
    for step in steps:
        done = step(honest) if callable(step) else step
        if isinstance(done, bytes | float) or done is END:
            yield done
        else:
            yield from done
