"""Sections as a tagged PDF (PDF/UA: readable with a screen reader)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from models.sections import Section


def to_pdf(title: str, opening: Sequence[str], sections: Iterable[Section]) -> bytes:
    """A PDF with a title, opening paragraphs and a table per section; texts are never markup."""
    import typst

    values = {
        "title": title,
        "opening": list(opening),
        "sections": [asdict(one) for one in sections],
    }
    pdf: bytes = typst.compile(
        _TEMPLATE.encode(),
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"data": json.dumps(values)},
    )
    return pdf


_TEMPLATE = """\
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title)
#set page(paper: "a4", flipped: true, margin: 1.6cm, numbering: "1 / 1")
#set text(lang: "nl", size: 9pt)
#show heading: set block(above: 1.4em, below: 0.7em)
#set table(stroke: 0.4pt + luma(160), inset: 4pt)

#heading(level: 1, data.title)

#for line in data.opening [
  #par(line)
]

#for part in data.sections [
  #heading(level: 2, part.heading)
  #par(part.explanation)

  #if part.rows.len() == 0 and part.columns.len() > 0 [Niets.]
  #if part.rows.len() > 0 [
    #table(
      columns: part.columns.len(),
      table.header(repeat: true, ..part.columns.map(name => strong(name))),
      ..part.rows.flatten(),
    )
  ]
]
"""
