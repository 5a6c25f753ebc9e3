"""Un disco que se llena a media escritura, sin llenar ninguno."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def disco_lleno(bytes_: int) -> Iterator[None]:
    """Ningún archivo puede pasar de ese tamaño: el núcleo corta la escritura a la mitad, como un disco que se llenó."""
    antes, senal = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, antes[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, antes)
        signal.signal(signal.SIGXFSZ, senal)
