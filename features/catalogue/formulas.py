"""How each feature is counted, in Dutch, for who must judge it: the register shows it.

The English `description` of a feature is the definition that approval rests on; this says the same
in the words of the pages. A test holds the two together: every feature, and every number in it.
"""

_ABSENT = "minuten afwezig, om welke reden dan ook,"
_UNAUTHORISED = "minuten ongeoorloofd afwezig (ook vakantie zonder verlof)"
_OTHER = "minuten medisch bezoek, verlof, schorsing of vrijstelling"
_UNVERIFIED = "minuten afwezig om een reden die nog niet bekend is"
_HALF_DAY = "geplande dagen waarop de helft van de geplande tijd of meer afwezig"
_THIS_YEAR = "in de weken die beginnen in dit schooljaar"
_YEAR_BEFORE = "in de weken die beginnen in het schooljaar daarvoor, op deze school"
_RUNNING = "die op de peildatum loopt"


def _last(weeks: int) -> str:
    return f"in de laatste {weeks} schoolweken" if weeks > 1 else "in de laatste schoolweek"


def _shares(name: str, minutes: str, *windows: int) -> dict[str, str]:
    return {
        f"{name}_{weeks}w": f"{minutes} als deel van de geplande minuten, {_last(weeks)}"
        for weeks in windows
    }


def _slope(share: str) -> str:
    return (
        f"{share} in de laatste 4 schoolweken, min dat in de 8 schoolweken daarvoor; onbekend als "
        "een van beide dat is"
    )


_DAYS = {
    "sick_episodes_12w": f"ziekteperioden met een dag {_last(12)}: geplande dagen met ziekte die "
    "binnen 5 dagen op elkaar volgen zijn één periode, hoe vaak er ook is gemeld. Gaat een "
    "ziekmelding op de school verder in een vakantie, dan telt die als een weekend; de "
    "zomervakantie scheidt altijd",
    "sick_episodes_40w": f"ziekteperioden met een dag {_last(40)}, samengenomen als bij 12 weken",
    "sick_episodes_this_year": f"ziekteperioden met een dag {_THIS_YEAR}",
    "mean_sick_episode_days_40w": f"geplande dagen met ziekte per ziekteperiode, {_last(40)}; "
    "onbekend zonder ziekteperiode",
    "sick_days_this_year": f"geplande dagen met ziekte {_THIS_YEAR}",
    "medical_visit_days_12w": f"geplande dagen met een medisch bezoek, {_last(12)}",
    "longest_sick_run_12w": f"meeste geplande dagen achter elkaar met ziekte, {_last(12)}",
    "unauthorised_hours_4w": f"uren ongeoorloofd afwezig (ook vakantie zonder verlof), {_last(4)}",
    "absent_days_4w": f"{_HALF_DAY}, {_last(4)}",
    "absent_days_8w_before": f"{_HALF_DAY}, in de 8 schoolweken voor de laatste 4",
    "absent_days_12w": f"{_HALF_DAY}, {_last(12)}",
    "part_days_12w": "geplande dagen waarop een deel, maar minder dan de helft, van de geplande "
    f"tijd afwezig, {_last(12)}",
    "current_run_days": "geplande dagen achter elkaar tot de peildatum waarop een deel van de tijd "
    "of meer afwezig, hoogstens 40 schoolweken terug",
    "current_absence_run": "geplande dagen achter elkaar tot de peildatum waarop de helft van de "
    "geplande tijd of meer afwezig, hoogstens 40 schoolweken terug",
    "longest_run_12w": f"meeste {_HALF_DAY}, achter elkaar, {_last(12)}",
    "longest_run_40w": f"meeste {_HALF_DAY}, achter elkaar, {_last(40)}",
    "longest_run_previous_year": f"meeste {_HALF_DAY}, achter elkaar, {_YEAR_BEFORE}",
    "weeks_since_full_week": "schoolweken van de leerling sinds de laatste zonder afwezigheid, "
    "hoogstens 40 schoolweken terug; 0 als dat de laatste was",
    "one_day_absences_12w": "dagen waarop de helft van de geplande tijd of meer afwezig, zonder zo "
    f"een dag op de geplande dag ervoor of erna, {_last(12)}",
    "edge_absences_12w": "losse afwezige dagen op een dag waarvoor of waarna de school vrij is, "
    f"{_last(12)}",
    "weekday_concentration_12w": "grootste deel van één weekdag in de geplande dagen met "
    f"afwezigheid, {_last(12)}; onbekend onder 4 van die dagen",
    "first_hour_share_12w": "van de geplande dagen waarop minder dan de helft afwezig: het deel "
    "met afwezigheid die vóór 09:30 begint (niet om middernacht: dan is er geen tijd gegeven), "
    f"{_last(12)}; onbekend zonder die dagen",
    "kinds_mixed_12w": f"hoeveel hiervan voorkomen {_last(12)}: ziek; medisch bezoek, verlof, "
    "schorsing of vrijstelling; ongeoorloofd; reden niet bekend; te laat of uit de les gestuurd",
}

_SHARES = {
    **_shares("sick_share", "minuten ziek", 1, 4, 12, 26, 40),
    **_shares("other_authorised_share", _OTHER, 4, 12),
    **_shares("unauthorised_share", _UNAUTHORISED, 4, 12, 26, 40),
    **_shares("unverified_share", _UNVERIFIED, 4, 12),
    **_shares("absent_share", _ABSENT, 1, 2, 4, 8, 12, 26, 40),
    "sick_slope": _slope("deel van de tijd ziek"),
    "unauthorised_slope": _slope(
        "deel van de tijd ongeoorloofd afwezig (of vakantie zonder verlof)"
    ),
    "absent_slope": _slope("deel van de tijd afwezig"),
    "september_share": "deel van de tijd afwezig in de weken die beginnen in september van dit "
    "schooljaar, voor zover zij vóór de peildatum liggen",
    "absent_share_previous_year": f"{_ABSENT} als deel van de geplande minuten, {_YEAR_BEFORE}",
    "sick_share_previous_year": f"minuten ziek als deel van de geplande minuten, {_YEAR_BEFORE}",
    "unauthorised_share_previous_year": "minuten ongeoorloofd afwezig als deel van de geplande "
    f"minuten, {_YEAR_BEFORE}",
    **{
        f"group_deviation_{weeks}w": "eigen deel van de tijd afwezig min het gemiddelde van de "
        f"andere leerlingen van de groep, {_last(weeks)}; onbekend als minder dan 8 anderen een "
        "deel hebben"
        for weeks in (1, 4, 12)
    },
}

_COUNTS = {
    **{
        f"late_arrivals_{weeks}w": f"keren te laat op geplande dagen, {_last(weeks)}; op één "
        "moment telt één keer"
        for weeks in (4, 12, 40)
    },
    "late_arrivals_previous_year": f"keren te laat op geplande dagen, {_YEAR_BEFORE}",
    "sent_out_12w": f"keren uit de les gestuurd op geplande dagen, {_last(12)}",
    "sent_out_40w": f"keren uit de les gestuurd op geplande dagen, {_last(40)}",
}

_SUPPORT = {
    "support_running": f"ondersteuning {_RUNNING}: stand loopt, begonnen en niet geëindigd",
    "support_running_weeks": f"schoolweken sinds het eerste begin van ondersteuning {_RUNNING}, "
    "hoogstens 40; onbekend als er geen loopt of geen begin bekend is",
    "reduced_timetable_running": "1 als op de peildatum een verkort rooster loopt, anders 0",
    "support_requested": "ondersteuning, geen contacten, met stand aangevraagd of gepland die niet "
    "is geëindigd",
    "support_waiting_weeks": "schoolweken sinds het eerste begin van ondersteuning (ook een "
    "tlv-aanvraag) die nog is aangevraagd of gepland, hoogstens 40; onbekend als niets daarvan "
    "begonnen had moeten zijn",
    "weeks_since_support_ended": "schoolweken sinds het laatste einde van ondersteuning, als er op "
    "de peildatum geen loopt; onbekend als er wel een loopt, geen is geëindigd, of dat langer dan "
    "40 schoolweken geleden was",
    "tlv_waiting_weeks": "schoolweken sinds het eerste begin van een tlv-aanvraag die nog stand "
    "aangevraagd heeft, hoogstens 40; onbekend als er geen wacht",
    "contacts_12w": "contacten (gesprekken, overleggen, consulten, meldingen) die plaatsvonden "
    f"{_last(12)}",
    "weeks_since_contact": "schoolweken sinds het laatste contact dat plaatsvond; onbekend zonder "
    f"contact {_last(40)}",
    "duo_reports_40w": f"wettelijke verzuimmeldingen (DUO) {_last(40)}",
}

_CAREER = {
    "transition_year": "1 in het eerste jaar van voortgezet onderwijs of mbo, anders 0; onbekend "
    "als daar het leerjaar niet bekend is",
    "weeks_since_enrolment": "schoolweken sinds de inschrijving op deze school begon (plaatsingen "
    "met hoogstens 60 dagen ertussen zijn één inschrijving), hoogstens 40; onbekend onder de 40 "
    "als de leerling er was op de eerste dag waarover de school gegevens heeft",
    "year_group_number": "leerjaar als getal: 1 tot en met 8 in het basisonderwijs, 11 tot en met "
    "16 voor leerjaar 1 tot en met 6 daarna (de codes van EDEXML); onbekend als het leerjaar geen "
    "getal bevat",
    "changed_school": "1 als de inschrijving begon in dit schooljaar, in een ander leerjaar dan "
    "die waarin leerlingen beginnen (1, 2 en 11), anders 0; onbekend als het leerjaar niet bekend "
    "is of de leerling er was op de eerste dag waarover de school gegevens heeft",
    "repeats_year": "1 als de plaatsing begon in dit schooljaar en er een was in het schooljaar "
    "daarvoor, op deze school, in hetzelfde of een hoger leerjaar, anders 0; onbekend als de "
    "plaatsing eerder begon of een van beide leerjaren niet bekend is",
    "age_months": "hele maanden van de geboortemaand tot de peildatum",
}

_REGISTRATION = {
    "late_recorded_share_12w": f"van de registraties die beginnen {_last(12)}: het deel waarvan de "
    "eerste versie meer dan 7 dagen na de dag van begin is vastgelegd (datums in UTC), alleen "
    "waar de bron dat moment geeft; onbekend zonder die registraties",
    "corrected_share_12w": f"van de registraties die beginnen {_last(12)}: het deel waarvan een "
    "eerdere versie een andere soort, begin of aantal minuten had of is ingetrokken; een open "
    "melding afsluiten is geen correctie; onbekend zonder registraties",
    "unregistered_weeks_12w": f"weken {_last(12)} waarin geen registratie van de groep begint, "
    "terwijl dat bij toeval minder dan één op de 100 keer gebeurt, gezien het deel van de andere "
    "leerlingen van de school met een registratie die die week begint; zo een week telt als niet "
    "gepland voor leerlingen zonder registratie daarin",
    "weeks_of_history": f"weken met geplande tijd voor de leerling op deze school, {_last(40)}",
    "planned_minutes_4w": f"geplande minuten {_last(4)}, zonder niet-geregistreerde weken",
}

FORMULAS_NL: dict[str, str] = {
    name: f"{formula[0].upper()}{formula[1:]}."
    for part in (_SHARES, _DAYS, _COUNTS, _SUPPORT, _CAREER, _REGISTRATION)
    for name, formula in part.items()
}
"""Per feature its formula, as one Dutch sentence; "onbekend" is what the tables hold as NaN."""
