"""The root of what a grading command raises on purpose."""


class GradingError(RuntimeError):
    """A run cannot go on, through no fault of a student; the text says why and what to do."""
