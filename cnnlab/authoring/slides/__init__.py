"""Slides of lectures: run, paged, and written as one page each that needs nothing from anywhere."""

from cnnlab.authoring.slides.errors import SlidesError
from cnnlab.authoring.slides.make import Made, make_slides

__all__ = ["Made", "SlidesError", "make_slides"]
