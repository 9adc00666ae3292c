"""From feature tables to an approved model."""
