"""What can go wrong with devices."""


class DeviceError(RuntimeError):
    """A device cannot be used as asked."""


class DeviceMismatchError(DeviceError):
    """Arrays of one computation live in different places."""


class GPUUnavailableError(DeviceError):
    """The GPU cannot be used; the three subclasses tell why.

    Parameters
    ----------
    reason : str
        What is wrong.
    hint : str
        What to do about it.
    """

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}: {hint}")
        self.reason = reason
        self.hint = hint


class GPUNotInstalledError(GPUUnavailableError):
    """CuPy is not installed."""


class GPUBrokenError(GPUUnavailableError):
    """CuPy is installed but fails; the cause is quoted and kept as ``__cause__``."""


class NoGPUError(GPUUnavailableError):
    """CuPy works, but the machine has no GPU that it can use."""
