"""Store two of scikit-image's CC0 photos as small JPEG files in ``cnnlab/data/photos``.

Nobody who uses cnnlab needs this: the files it writes are part of the package. It is here so that the pictures can be
traced to their origin, checked and changed. To run it (a second), in an environment of its own::

    pip install scikit-image pillow      # made with scikit-image 0.26.0, pillow 13.0.0
    python scripts/build_photos.py       # writes chelsea.jpg and coffee.jpg, prints their sizes and SHA-256

Only pictures whose documentation in scikit-image says "CC0" and names the photographer are taken.
"""

import hashlib
from pathlib import Path

from PIL import Image

OUT = Path(__file__).parents[1] / "cnnlab" / "data" / "photos"
QUALITY = 90
SOURCES = {  # SHA-256 of scikit-image's files, as its registry publishes them
    "chelsea": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
}


def main() -> None:
    """Read scikit-image's files, which the package brings along, and write ours."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    for name, digest in SOURCES.items():
        source = folder / f"{name}.png"
        if hashlib.sha256(source.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{source} is another picture than the one we know: look at its license first")
        target = OUT / f"{name}.jpg"
        with Image.open(source) as picture:
            picture.convert("RGB").save(target, quality=QUALITY, optimize=True, subsampling=0)
        content = target.read_bytes()
        print(f"{target.name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
