"""The business that both styles share: four participants, their messages and their exactly-once databases.

Read in this order: messages, errors, policy, guards, ports, database, exactly_once,
order/ inventory/ payment/ shipping/, participants, participant; then clock, tracing, faults.
"""
