"""Spoken recordings, with or without the word "welcome"."""

from cnnlab.data.welcome._compose import Spoken
from cnnlab.data.welcome.composed import WelcomeSet, load_welcome
from cnnlab.data.welcome.recordings import WelcomeRecording, load_welcome_recordings

__all__ = ["Spoken", "WelcomeRecording", "WelcomeSet", "load_welcome", "load_welcome_recordings"]
