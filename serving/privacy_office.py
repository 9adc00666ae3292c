"""The privacy officer's services behind the pages, made once."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from features.governance.contracts import FeatureContract
from features.governance.retention import RetentionSettings
from features.settings import Home
from serving.contract_desk import ContractDesk
from serving.dossier_desk import DossierDesk
from serving.models_in_use import ModelsInUse
from serving.retention_desk import RetentionDesk
from serving.rights.desk import RightsDesk


@dataclass(frozen=True)
class PrivacyOffice:
    """Contracts and stops, requests of pupils, dossiers, terms of keeping."""

    contracts: ContractDesk
    rights: RightsDesk
    dossiers: DossierDesk
    models: ModelsInUse
    retention: RetentionDesk

    @classmethod
    def at(
        cls,
        home: Home,
        environ: Mapping[str, str],
        app: sa.Engine,
        ledger: sa.Engine,
        contracts: Mapping[str, FeatureContract],
        retention: RetentionSettings,
    ) -> "PrivacyOffice":
        """The office of the installation at `home`."""
        models = ModelsInUse(home)
        return cls(
            contracts=ContractDesk(home, app, ledger, contracts, models),
            rights=RightsDesk(home, environ, app, ledger),
            dossiers=DossierDesk(home, ledger, models),
            models=models,
            retention=RetentionDesk(home, environ, app, ledger, retention),
        )
