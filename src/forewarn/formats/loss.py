"""What a format could not hold."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Loss:
    """Counts what was left out when writing, and lists what could not be read."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, what: str, n: int = 1) -> None:
        """Count something that was left out.

        :param what: what it is, such as ``overlapping spans``.
        :param n: how many.
        """
        if n:
            self.counts[what] += n

    def lines(self) -> list[str]:
        """Write the report.

        :return: one line for each kind of loss, then the problems.
        """
        return [f"lost: {n} {what}" for what, n in sorted(self.counts.items())] + self.problems
