"""What every demo shares on the Python side: its files joined into one module, and its two ways onto a page."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import anywidget

from cnnlab.demos.page import fragment, page

_FRONT = ("elements", "color", "controls", "player", "steps", "conv", "grid", "raster", "tooltip", "view")


def script(folder: str, *parts: str, front: tuple[str, ...] = ()) -> str:
    """Return the module of a demo, which all parts share as one scope.

    Parameters
    ----------
    folder : str
        The demo's folder under ``cnnlab/demos``.
    *parts : str
        Its scripts there, without ``.js``; the last one exports ``{ render }`` as its default.
    front : tuple of str
        Parts of ``front/`` that some demos share and most do without, put before its own.
    """
    return joined(*(f"front/{part}.js" for part in (*_FRONT, *front)), *(f"{folder}/{part}.js" for part in parts))


def style(folder: str) -> str:
    """Return the style sheet of a demo: what all demos share, then its own.

    Its own class is written twice in its own rules, so that they outweigh the shared ones also where another demo's
    copy of these comes later on the page.
    """
    kind = folder.replace("_", "-")
    own = re.sub(rf"\.{kind}(?![\w-])", f".{kind}.{kind}", joined(f"{folder}/view.css"))
    return joined("front/base.css") + own


def joined(*names: str) -> str:
    """Return the text of files of this package, one after another.

    Parameters
    ----------
    *names : str
        Paths under ``cnnlab/demos``.
    """
    folder = files("cnnlab.demos")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


class Demo(anywidget.AnyWidget):
    """A widget that computes in the browser and can be saved as a page of its own.

    A subclass sets ``_esm``, ``_css`` and ``title`` and tags the traits that its module reads with
    ``sync=True, demo=True``; their values must be what JSON can hold.
    """

    title: ClassVar[str] = "Demo"

    def to_html(self, *, full_page: bool = True, theme: str = "auto") -> str:
        """Return the demo, as it stands now, as HTML that needs no kernel and no network.

        Parameters
        ----------
        full_page : bool
            A whole document; False for a piece to put into a page of your own.
        theme : {"auto", "light", "dark"}
            "auto" follows the reader's system. Only for a whole document.

        Returns
        -------
        str
        """
        state = {name: getattr(self, name) for name in self.traits(demo=True)}
        body = fragment(state, esm=str(self._esm), css=str(self._css), title=self.title)
        return page(body, title=self.title, theme=theme) if full_page else body

    def save(self, path: str | Path, *, theme: str = "auto") -> Path:
        """Write `to_html` to a file and return its path.

        Parameters
        ----------
        path : str or Path
            The file to write; its folder must exist.
        theme : {"auto", "light", "dark"}
            As in `to_html`.
        """
        target = Path(path)
        target.write_text(self.to_html(theme=theme), encoding="utf-8")
        return target

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Offer both forms: a live front end takes the widget, a converted notebook the HTML.

        nbconvert prefers the widget only when its state is stored in the notebook, and such a page loads the widget
        manager from the network; see the decision record on demos.
        """
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:  # a widget without a view
            return None
        data, metadata = bundle
        return {**data, "text/html": self.to_html(full_page=False)}, metadata
