"""A page as a tree of elements, and the rules that axe does not know."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})
NOT_TYPED = frozenset({"hidden", "date", "radio", "checkbox"})
CONTROLS = frozenset({"a", "button", "summary", "input", "select", "textarea"})


@dataclass
class Element:
    """One element with what is inside it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """This element and all inside it."""
        yield self
        for part in self.content:
            if isinstance(part, Element):
                yield from part.walk()

    def words(self) -> Iterator[str]:
        """The pieces of text inside, in order."""
        for part in self.content:
            if isinstance(part, Element):
                yield from part.words()
            else:
                yield part

    def all(self, *names: str) -> list["Element"]:
        """The elements inside with one of these names."""
        return [element for element in self.walk() if element.name in names]

    @property
    def text(self) -> str:
        """All text inside, single-spaced."""
        return " ".join(" ".join(self.words()).split())

    def by_id(self, name: str) -> "Element":
        """The element with this id."""
        return next(each for each in self.walk() if each.attributes.get("id") == name)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].content.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)


def parse(text: str) -> Element:
    """The page as a tree; an element that is not closed properly fails."""
    reader = _Reader()
    reader.feed(text)
    assert reader._open == [reader.root], f"<{reader._open[-1].name}> was not closed"
    return reader.root


def problems(page: Element) -> list[str]:
    """What breaks a rule on this page, in words."""
    return [
        *_language(page),
        *_tables(page),
        *_labels(page),
        *_typed(page),
        *_handlers(page),
        *_ids(page),
        *_headings(page),
        *_shortcuts(page),
        *_help(page),
    ]


def _language(page: Element) -> Iterator[str]:
    if page.all("html")[0].attributes.get("lang") != "nl":
        yield "the page does not say that it is in Dutch"


def _tables(page: Element) -> Iterator[str]:
    for table in page.all("table"):
        captions = table.all("caption")
        if len(captions) != 1 or not captions[0].text:
            yield "a table without a caption"
        for head in table.all("th"):
            if head.attributes.get("scope") not in ("col", "row"):
                yield f"a th without scope: {head.text}"
        for row in table.all("tbody")[0].all("tr") if table.all("tbody") else ():
            if not row.all("th"):
                yield f"a row without a head: {row.text[:40]}"
        for cell in table.all("td", "th"):
            drawn = any(word in cell.attributes.get("class", "") for word in ("day", "contact"))
            if drawn and not cell.text:
                yield "a cell that says nothing to who cannot see its colour"


def _labels(page: Element) -> Iterator[str]:
    labelled = {label.attributes.get("for") for label in page.all("label") if label.text}
    for control in page.all("input", "select", "textarea"):
        is_hidden = control.attributes.get("type") == "hidden"
        if not is_hidden and control.attributes.get("id") not in labelled:
            yield f"a control without a label: {control.attributes.get('name')}"
    for control in page.all("button", "a", "summary"):
        if not control.text:
            yield f"a {control.name} without words"
    for group in page.all("fieldset"):
        if not group.all("legend"):
            yield "a fieldset without a legend"


def _typed(page: Element) -> Iterator[str]:
    """What is typed may be a name, and a form by GET writes it in the address."""
    for form in page.all("form"):
        if form.attributes.get("method", "get").lower() == "get":
            for control in form.all("input", "textarea"):
                if control.attributes.get("type") not in NOT_TYPED:
                    yield f"typed into an address: {control.attributes.get('name')}"


def _handlers(page: Element) -> Iterator[str]:
    for element in page.walk():
        for name in element.attributes:
            if name == "style" or name.startswith("on"):
                yield f"inline {name} on {element.name}"
        if element.name in ("script", "style"):
            yield f"a {element.name} element"


def _ids(page: Element) -> Iterator[str]:
    ids = [each.attributes["id"] for each in page.walk() if "id" in each.attributes]
    yield from (f"id {name} stands twice" for name in {n for n in ids if ids.count(n) > 1})
    for element in page.walk():
        for name in ("aria-labelledby", "aria-describedby", "for"):
            for wanted in element.attributes.get(name, "").split():
                if wanted not in ids:
                    yield f"{name} points to {wanted}, which is not there"


def _headings(page: Element) -> Iterator[str]:
    levels = [int(each.name[1]) for each in page.all("h1", "h2", "h3", "h4")]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"headings {levels}: one h1, first"
    for before, after in itertools.pairwise(levels):
        if after > before + 1:
            yield f"headings {levels}: a level is skipped"


def _shortcuts(page: Element) -> Iterator[str]:
    """Digits only: letters are taken by browsers and screen readers."""
    keys = [
        (each.attributes["accesskey"], each)
        for each in page.walk()
        if "accesskey" in each.attributes
    ]
    for key, element in keys:
        if element.name not in CONTROLS or len(key) != 1 or key not in "123456789":
            yield f"shortcut {key} on {element.name}: a digit on something one can press"
        if [other for other, _ in keys].count(key) > 1:
            yield f"shortcut {key} stands twice"


def _help(page: Element) -> Iterator[str]:
    """Help stands in the same place on every page: last."""
    last = page.all("a")[-1]
    if last.attributes.get("href") != "/uitleg":
        yield f"the last link is not the explanation but {last.attributes.get('href')}"
