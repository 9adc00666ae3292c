"""Dutch words for what stands in the registers: events, details, uses, sensitivity."""

from features.governance.contracts import FeatureContract, Sensitivity

SENSITIVITY = {Sensitivity.LOW: "laag", Sensitivity.MEDIUM: "midden", Sensitivity.HIGH: "hoog"}
USES = {
    "train": "model trainen",
    "score": "lijst maken",
    "show": "tonen",
    "report": "aantallen rapporteren",
}
EVENTS = {
    "signed_in": "ingelogd",
    "signed_out": "uitgelogd",
    "sign_in_wrong": "verkeerd wachtwoord",
    "sign_in_wait": "inloggen tijdelijk geblokkeerd",
    "password_set": "wachtwoord gekozen",
    "list_seen": "bespreeklijst bekeken",
    "pupil_seen": "leerling bekeken",
    "values_seen": "tellingen van leerling bekeken",
    "decision_kept": "besluit bewaard",
    "outcome_kept": "uitkomst bewaard",
    "pupils_searched": "leerling gezocht",
    "pupil_added": "leerling zelf toegevoegd",
    "at_home_seen": "al in beeld bekeken",
    "care_entered": "zorg bij verzuim vastgelegd",
    "team_overview_seen": "zorgteam-overzicht bekeken",
    "exported": "bestand gemaakt",
    "region_seen": "regiobeeld bekeken",
    "access_refused": "toegang geweigerd",
    "ledger_seen": "gebruiksregister bekeken",
    "audit_seen": "inzagelog bekeken",
    "features_retrieved": "kenmerken opgehaald",
    "lists_published": "lijsten gepubliceerd",
    "model_promoted": "model in gebruik genomen",
    "model_promotion_refused": "model niet in gebruik genomen",
    "contract_approved": "kenmerk goedgekeurd",
    "contract_refused": "kenmerk afgekeurd",
    "feature_switched_off": "kenmerk uitgezet",
    "experiment_permitted": "proef toegestaan",
    "lists_stopped": "lijsten gestopt",
    "lists_resumed": "lijsten hervat",
    "objection_made": "bezwaar vastgelegd",
    "objection_withdrawn": "bezwaar ingetrokken",
    "request_taken": "verzoek aangenomen",
    "request_opened": "verzoek geopend",
    "request_handled": "verzoek afgehandeld",
    "access_package_made": "inzagepakket gemaakt",
    "pupil_searched": "leerling gezocht",
    "pupil_erased": "leerling gewist",
    "exceptions_seen": "uitzonderingen bekeken",
    "audit_head_signed": "keten ondertekend",
    "ledger_exported": "gebruiksregister gedownload",
    "dossier_exported": "dossier gedownload",
    "retention_run": "bewaartermijnen uitgevoerd",
    "retention_seen": "bewaartermijnen bekeken",
    "pseudonyms_renewed": "pseudoniemen vernieuwd",
}
DETAILS = {
    "pupils": "leerlingen",
    "as_of": "lijst van",
    "kind": "besluit",
    "area": "onderdeel",
    "ledger": "regel gebruiksregister",
    "lists": "lijsten",
    "model_version": "modelversie",
    "version": "modelversie",
    "signed_by": "getekend",
    "reasons": "redenen",
    "gate_decision": "besluit van de poort",
    "decision_on_contract": "besluit nr.",
    "stop": "regel nr.",
    "erasure": "verslag nr.",
    "due_on": "antwoord uiterlijk",
    "rows": "regels",
    "renewal": "verslag nr.",
    "retention": "verslag nr.",
    "left_pupils": "van vertrokken leerlingen",
    "feature_values": "berekende kenmerken",
    "names_in_log": "namen in het log",
}
# Hashes are for a machine to compare; the chain seals them.
HIDDEN_DETAILS = frozenset({"sha256", "pupils_sha256", "bundle", "evaluation"})


def allowed_uses(contract: FeatureContract) -> tuple[str, ...]:
    """What may be done with the feature, in words."""
    return tuple(words for name, words in USES.items() if getattr(contract.uses, name))
