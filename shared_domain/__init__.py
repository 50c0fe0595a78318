"""The sagas, one folder each: rows, messages, participants, reactions and state machine, workload, scenarios, bugs."""
