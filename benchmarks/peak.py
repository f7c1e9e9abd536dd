"""The most memory that this process and its children held together."""

import threading
import time

import psutil


class Peak:
    """Looks ten times a second, from a thread of its own; ``mb`` is what was seen so far."""

    def __init__(self) -> None:
        self.mb, self._me = 0.0, psutil.Process()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            total = 0
            for process in (self._me, *self._me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.mb = max(self.mb, total / 2**20)
            time.sleep(0.1)
