"""A page as a browser sees it: elements with their attributes, and the text that people read."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "path", "use", "rect", "hr", "wbr"}


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        elements: name and attributes of each, in order.
        text: all that is neither markup nor style.
        tables: the text of every cell, by table and row.
        unclosed: what was opened and not closed, or closed and not open.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.style = ""
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.unclosed += self._open

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())

    @property
    def rows(self) -> list[list[str]]:
        return [row for table in self.tables for row in table]

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.elements}

    def attributes(self, *names: str) -> list[str]:
        return [value for _, found in self.elements for key, value in found.items() if key in names and value]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open[-1] != tag:
            self.unclosed.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.style += data
            return
        self.parts.append(data)
        if "td" in self._open or "th" in self._open:
            row = self.tables[-1][-1]
            gap = "" if self.elements[-1][0] == "wbr" else " "  # where a word may be broken it goes on
            row[-1] = " ".join(f"{row[-1]}{gap}{data}".split())
