"""The order saga. Reading order: saga, messages, participants, reactions beside order_saga.asl.json, workload, laws."""
