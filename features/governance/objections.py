"""Objections (AVG article 21): whoever objected is neither listed nor learned from, from then on.

The only place that knows of objections. An objection stands until it is withdrawn; nothing that a
school decides about the pupil ends it.
"""

from datetime import datetime

from sqlalchemy import Engine, delete, func, select

from features.governance.audit import AuditChain
from features.governance.database import as_text, objection_events, writing
from features.vocabulary import PupilKey, Role

OBJECTED, WITHDRAWN = "objection_made", "objection_withdrawn"


def object_to_processing(
    engine: Engine, pupil_key: PupilKey, school: str, actor: str, role: Role, moment: datetime
) -> None:
    """Keep that for this pupil an objection was made at `moment`."""
    _add(engine, pupil_key, school, OBJECTED, actor, role, moment)


def withdraw_objection(
    engine: Engine, pupil_key: PupilKey, school: str, actor: str, role: Role, moment: datetime
) -> None:
    """Keep that the objection was withdrawn at `moment`."""
    _add(engine, pupil_key, school, WITHDRAWN, actor, role, moment)


def objected(engine: Engine, before: datetime) -> frozenset[PupilKey]:
    """The pupils for whom an objection stood just before the moment `before`.

    They are left out of lists and of training sets made at that moment, at whatever school: an
    objection goes with the pupil. One whose objection was withdrawn earlier is not among them.
    """
    earlier = objection_events.c.moment < as_text(before)
    last = select(func.max(objection_events.c.id)).where(earlier)
    newest = last.group_by(objection_events.c.pupil_key)
    query = select(objection_events.c.pupil_key).where(
        objection_events.c.id.in_(newest), objection_events.c.event == OBJECTED
    )
    with engine.connect() as connection:
        return frozenset(PupilKey(key) for key in connection.scalars(query))


def erase(engine: Engine, pupil_key: PupilKey) -> int:
    """Remove what stands here of an erased pupil; how many rows that were."""
    with writing(engine) as connection:
        gone = connection.execute(
            delete(objection_events).where(objection_events.c.pupil_key == pupil_key)
        )
        return gone.rowcount


def _add(
    engine: Engine,
    pupil_key: PupilKey,
    school: str,
    event: str,
    actor: str,
    role: Role,
    moment: datetime,
) -> None:
    chain = AuditChain(engine)
    row = {
        "moment": as_text(moment),
        "pupil_key": pupil_key,
        "school": school,
        "event": event,
        "actor": actor,
        "role": role.value,
    }
    with writing(engine) as connection:
        connection.execute(objection_events.insert().values(**row))
        chain.append(moment, actor, role, event, pupil_key, school, connection=connection)
    chain.witness(moment)
