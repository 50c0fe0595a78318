"""The saga as an AWS Step Functions state machine.

Read in this order: order_saga.asl.json (the whole flow), saga_definition, tasks, step_functions, system;
then engine/, the embedded Step Functions.
"""
