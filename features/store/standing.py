"""Which built rows still stand after later deliveries; what may be reused, and nothing else is."""

from collections.abc import Iterator
from datetime import date, datetime

from features.records import RecordLog
from features.records.partition import earliest_news
from features.school_weeks import as_of_moment
from features.store.offline import NO_LOG, Covers, SchoolMonday

LOG_HEAD = b"log_head"
"""What `features.build` puts in the metadata of a table: up to which delivery it knew the log."""


def standing(covers: Covers, log: RecordLog) -> Iterator[SchoolMonday]:
    """Those of `covers` whose rows a build would make again, bit for bit.

    Rows of a Monday stand until a delivery that they did not know adds something to their school
    that was known before that Monday 06:00: recorded late, corrected, withdrawn, delivered late.
    """
    heads = {head for head in covers.values() if head != NO_LOG}
    news = earliest_news(log, min(heads)) if heads and min(heads) < log.head() else {}
    first: dict[tuple[str, int], datetime] = {}
    for head in heads:
        for (number, school), known_at in news.items():
            if number > head:
                place = school, head
                first[place] = min(known_at, first.get(place, known_at))
    return (place for place, head in covers.items() if _stands(place, first.get((place[0], head))))


def _stands(place: tuple[str, date], news_known_at: datetime | None) -> bool:
    return news_known_at is None or as_of_moment(place[1]) <= news_known_at
