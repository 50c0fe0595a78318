"""What sagas and styles stand on: it knows no saga, no broker and no cloud.

Reading order: messages, saga, participant, inbox, outbox, ledger, parked, database, policy, guards, ports.
"""
