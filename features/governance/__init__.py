"""Who may use which feature for what, and the record of every use."""
