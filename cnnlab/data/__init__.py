"""Data for the course: small embedded sets and scenes made by code; nothing here needs a network."""

from cnnlab.data.audio import log_mel, mu_law_decode, normalize_log_mel
from cnnlab.data.flowers import FlowerSet, flower_sprite, load_flowers
from cnnlab.data.welcome import WelcomeRecording, WelcomeSet, load_welcome, load_welcome_recordings

__all__ = [
    "FlowerSet",
    "WelcomeRecording",
    "WelcomeSet",
    "flower_sprite",
    "load_flowers",
    "load_welcome",
    "load_welcome_recordings",
    "log_mel",
    "mu_law_decode",
    "normalize_log_mel",
]
